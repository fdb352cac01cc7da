import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Loose } from "./client";
import type { operations } from "./schema";

type Filter = operations["list-alerts"]["parameters"]["query"];

export const alertsQuery = (filter: Loose<Filter> = {}) =>
  queryOptions({
    queryKey: ["alerts", filter],
    queryFn: ({ signal }) => answer(api.GET("/api/alerts", { params: { query: { limit: 200, ...filter } as Filter }, signal })),
  });

export const alertQuery = (id: string) =>
  queryOptions({
    queryKey: ["alerts", id],
    queryFn: ({ signal }) => answer(api.GET("/api/alerts/{id}", { params: { path: { id } }, signal })),
  });
