import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { answer, api, queryText } from "./client";
import type { components, operations } from "./schema";

export type LogRow = components["schemas"]["LogsRow"];
export type LogField = components["schemas"]["LogsField"];
export type LogBucket = components["schemas"]["LogsBucket"];
export type LogPattern = components["schemas"]["LogsPattern"];
export type SavedSearch = components["schemas"]["LogsSavedSearch"];

/** What is asked: the query, its language, the time and the service. */
export interface Asked {
  q: string;
  language: string;
  from: string;
  to: string;
  service?: string;
}

type SearchQuery = operations["search-logs"]["parameters"]["query"];

export const linesQuery = (asked: Asked) =>
  infiniteQueryOptions({
    queryKey: ["logs", "search", asked],
    queryFn: ({ signal, pageParam }) =>
      answer(api.GET("/api/logs/search", { params: { query: { ...asked, limit: pageParam ? 1000 : 200, cursor: pageParam } as SearchQuery }, signal })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next,
    placeholderData: keepPreviousData,
    // What was found stands still until it is asked for again: all its parts would be fetched anew, one after the other.
    staleTime: Infinity,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
    gcTime: 60_000,
  });

export const histogramQuery = (asked: Asked) =>
  queryOptions({
    queryKey: ["logs", "histogram", asked],
    queryFn: ({ signal }) =>
      answer(api.GET("/api/logs/histogram", { params: { query: { ...asked, buckets: 80 } as operations["count-logs"]["parameters"]["query"] }, signal })),
    placeholderData: keepPreviousData,
  });

export const logFieldsQuery = (asked: Asked) =>
  queryOptions({
    queryKey: ["logs", "fields", asked],
    queryFn: ({ signal }) => answer(api.GET("/api/logs/fields", { params: { query: asked as operations["list-log-fields"]["parameters"]["query"] }, signal })),
    placeholderData: keepPreviousData,
  });

export const logValuesQuery = (asked: Asked, field: string, contains = "", limit = 8) =>
  queryOptions({
    queryKey: ["logs", "values", asked, field, contains, limit],
    queryFn: ({ signal }) =>
      answer(
        api.GET("/api/logs/values", { params: { query: { ...asked, field, contains, limit } as operations["list-log-values"]["parameters"]["query"] }, signal }),
      ),
  });

export const logPatternsQuery = (asked: Asked) =>
  queryOptions({
    queryKey: ["logs", "patterns", asked],
    queryFn: ({ signal }) => answer(api.GET("/api/logs/patterns", { params: { query: asked as operations["list-log-patterns"]["parameters"]["query"] }, signal })),
  });

/** The lines before and after one, so many each way, of its service and host. */
export const aroundQuery = (row: LogRow, each: number, service: string, host: string) =>
  queryOptions({
    queryKey: ["logs", "around", row.id, each, service, host],
    queryFn: ({ signal }) =>
      answer(api.GET("/api/logs/around", { params: { query: { id: row.id, time: row.time, before: each, after: each, service, host } }, signal })),
    placeholderData: keepPreviousData,
  });

export const searchesQuery = queryOptions({
  queryKey: ["logs", "searches"],
  queryFn: ({ signal }) => answer(api.GET("/api/logs/searches", { signal })),
});

export const saveSearch = (body: components["schemas"]["SaveSearchRequest"]) => answer(api.POST("/api/logs/searches", { body }));
export const deleteSearch = (id: string) => answer(api.DELETE("/api/logs/searches/{id}", { params: { path: { id } } }));

export const followPath = (asked: Asked) => `/api/logs/follow?${queryText({ q: asked.q, language: asked.language, service: asked.service })}`;
export const exportPath = (asked: Asked, format: string, fields: string[]) => `/api/logs/export?${queryText({ ...asked, format, fields })}`;
