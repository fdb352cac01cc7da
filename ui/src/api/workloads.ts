import { queryOptions } from "@tanstack/react-query";
import { get, post } from "./client";
import type { List, LogLine, Revision, Run, Workload } from "./types";

const path = (name: string) => `/api/workloads/${encodeURIComponent(name)}`;

export const workloadsQuery = queryOptions({
  queryKey: ["workloads"],
  queryFn: ({ signal }) => get<List<Workload>>("/api/workloads", { query: { limit: 500 }, signal }),
  refetchInterval: 15_000,
});

export const workloadQuery = (name: string) =>
  queryOptions({
    queryKey: ["workloads", name],
    queryFn: ({ signal }) => get<Workload>(path(name), { signal }),
    refetchInterval: 5_000,
  });

export const revisionsQuery = (name: string) =>
  queryOptions({
    queryKey: ["workloads", name, "revisions"],
    queryFn: ({ signal }) => get<List<Revision>>(`${path(name)}/revisions`, { signal }),
  });

export const workloadLogQuery = (name: string, lines = 1000) =>
  queryOptions({
    queryKey: ["workloads", name, "log", lines],
    queryFn: ({ signal }) => get<List<LogLine>>(`${path(name)}/log`, { query: { lines }, signal }),
    refetchInterval: 3_000,
  });

export const applyManifest = (manifest: string) => post<Run>("/api/workloads", { manifest });
/** Revision 0 means the one before the current. */
export const rollBack = (name: string, revision = 0) => post<Run>(`${path(name)}/rollback`, { revision });
export const restart = (name: string) => post<Run>(`${path(name)}/restart`);
