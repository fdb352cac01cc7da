import { queryOptions } from "@tanstack/react-query";
import { answer, api } from "./client";

const of = (name: string) => ({ params: { path: { name } } });

export const workloadsQuery = queryOptions({
  queryKey: ["workloads"],
  queryFn: ({ signal }) => answer(api.GET("/api/workloads", { signal })),
  refetchInterval: 15_000,
});

export const workloadQuery = (name: string) =>
  queryOptions({
    queryKey: ["workloads", name],
    queryFn: ({ signal }) => answer(api.GET("/api/workloads/{name}", { ...of(name), signal })),
    refetchInterval: 5_000,
  });

export const revisionsQuery = (name: string) =>
  queryOptions({
    queryKey: ["workloads", name, "revisions"],
    queryFn: ({ signal }) => answer(api.GET("/api/workloads/{name}/revisions", { ...of(name), signal })),
  });

export const workloadLogQuery = (name: string, lines = 1000) =>
  queryOptions({
    queryKey: ["workloads", name, "log", lines],
    queryFn: ({ signal }) => answer(api.GET("/api/workloads/{name}/log", { params: { path: { name }, query: { lines } }, signal })),
    refetchInterval: 3_000,
  });

export const applyManifest = (manifest: string) => answer(api.POST("/api/workloads", { body: { manifest } }));
/** Revision 0 means the one before the current. */
export const rollBack = (name: string, revision = 0) => answer(api.POST("/api/workloads/{name}/rollback", { ...of(name), body: { revision } }));
export const restart = (name: string) => answer(api.POST("/api/workloads/{name}/restart", of(name)));
/** Stops it and forgets it; its files stay. */
export const removeWorkload = (name: string) => answer(api.DELETE("/api/workloads/{name}", of(name)));
