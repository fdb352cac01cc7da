import { queryOptions } from "@tanstack/react-query";
import { get, post } from "./client";
import type { List, LogLine, Run } from "./types";

const path = (id: string) => `/api/runs/${encodeURIComponent(id)}`;

export const runsQuery = (filter: { kind?: string; service?: string; status?: string; limit?: number } = {}) =>
  queryOptions({
    queryKey: ["runs", filter],
    queryFn: ({ signal }) => get<List<Run>>("/api/runs", { query: { limit: 100, ...filter }, signal }),
  });

export const runQuery = (id: string) =>
  queryOptions({
    queryKey: ["runs", id],
    queryFn: ({ signal }) => get<Run>(path(id), { signal }),
  });

export const runLog = (id: string, after: number, signal?: AbortSignal) =>
  get<List<LogLine>>(`${path(id)}/log`, { query: { after, limit: 5000 }, signal });

export const runStreamPath = (id: string) => `${path(id)}/stream`;

export const cancelRun = (id: string) => post<Run>(`${path(id)}/cancel`);
