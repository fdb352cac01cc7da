import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { get, post } from "./client";
import type { Entry, List } from "./types";

export interface TimelineFilter {
  service?: string | string[];
  kind?: string | string[];
  ref?: string;
  from?: string;
  to?: string;
}

/** One page of the ledger, newest first. */
export const fetchTimeline = (filter: TimelineFilter & { limit?: number; cursor?: string }, signal: AbortSignal) =>
  get<List<Entry>>("/api/timeline", { query: { ...filter }, signal });

export const timelineQuery = (filter: TimelineFilter & { limit?: number }) =>
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

export const recordChange = (body: { title: string; action: string; service?: string }) =>
  post<Entry>("/api/timeline/changes", body);
