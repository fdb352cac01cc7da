import { queryOptions } from "@tanstack/react-query";
import { get } from "./client";
import type { Alert, List } from "./types";

export const alertsQuery = (filter: { state?: string; service?: string } = {}) =>
  queryOptions({
    queryKey: ["alerts", filter],
    queryFn: ({ signal }) => get<List<Alert>>("/api/alerts", { query: { limit: 200, ...filter }, signal }),
  });

export const alertQuery = (id: string) =>
  queryOptions({
    queryKey: ["alerts", id],
    queryFn: ({ signal }) => get<Alert>(`/api/alerts/${encodeURIComponent(id)}`, { signal }),
  });
