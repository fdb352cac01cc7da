import { queryOptions } from "@tanstack/react-query";
import { answer, api } from "./client";

// The catalog changes when its file is read again: rarely.
const staleTime = 60_000;

export const servicesQuery = queryOptions({
  queryKey: ["services"],
  queryFn: ({ signal }) => answer(api.GET("/api/services", { signal })),
  staleTime,
});

export const serviceQuery = (name: string) =>
  queryOptions({
    queryKey: ["services", name],
    queryFn: ({ signal }) => answer(api.GET("/api/services/{name}", { params: { path: { name } }, signal })),
    staleTime,
  });

export const peopleQuery = queryOptions({
  queryKey: ["people"],
  queryFn: ({ signal }) => answer(api.GET("/api/people", { signal })),
  staleTime,
});

export const onCallsQuery = queryOptions({
  queryKey: ["oncalls"],
  queryFn: ({ signal }) => answer(api.GET("/api/oncalls", { signal })),
});

export const slosQuery = queryOptions({
  queryKey: ["slos"],
  queryFn: ({ signal }) => answer(api.GET("/api/slos", { signal })),
  refetchInterval: 15_000,
});
