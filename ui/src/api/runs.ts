import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Loose } from "./client";
import type { operations } from "./schema";

type Filter = operations["list-runs"]["parameters"]["query"];

const of = (id: string) => ({ params: { path: { id } } });

export const runsQuery = (filter: Loose<Filter> = {}) =>
  queryOptions({
    queryKey: ["runs", filter],
    queryFn: ({ signal }) => answer(api.GET("/api/runs", { params: { query: { limit: 100, ...filter } as Filter }, signal })),
  });

export const runQuery = (id: string) =>
  queryOptions({
    queryKey: ["runs", id],
    queryFn: ({ signal }) => answer(api.GET("/api/runs/{id}", { ...of(id), signal })),
  });

export const runLog = (id: string, after: number, signal?: AbortSignal) =>
  answer(api.GET("/api/runs/{id}/log", { params: { path: { id }, query: { after, limit: 5000 } }, signal }));

export const runStreamPath = (id: string) => `/api/runs/${encodeURIComponent(id)}/stream`;

export const cancelRun = (id: string) => answer(api.POST("/api/runs/{id}/cancel", of(id)));
