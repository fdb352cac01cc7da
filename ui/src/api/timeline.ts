import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answer, api, type Loose } from "./client";
import type { components, operations } from "./schema";

type Filter = operations["list-timeline"]["parameters"]["query"];
export type TimelineFilter = Loose<Filter>;

/** One page of the ledger, newest first. */
export const fetchTimeline = (filter: TimelineFilter, signal: AbortSignal) =>
  answer(api.GET("/api/timeline", { params: { query: filter as Filter }, signal }));

export const timelineQuery = (filter: TimelineFilter) =>
  queryOptions({
    queryKey: ["timeline", filter],
    queryFn: ({ signal }) => fetchTimeline({ limit: 50, ...filter }, signal),
  });

export const timelinePagesQuery = (filter: TimelineFilter) =>
  infiniteQueryOptions({
    queryKey: ["timeline", "pages", filter],
    queryFn: ({ signal, pageParam }) => fetchTimeline({ limit: 100, ...filter, cursor: pageParam }, signal),
    initialPageParam: "",
    getNextPageParam: (last) => last.next,
  });

export const recordChange = (body: components["schemas"]["RecordChangeRequest"]) => answer(api.POST("/api/timeline/changes", { body }));
