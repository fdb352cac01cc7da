import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answer, api } from "./client";
import type { components } from "./schema";

export type EventRule = components["schemas"]["IncidentRule"];
export type Trial = components["schemas"]["IncidentTrial"];
export type InboundEvent = components["schemas"]["IncidentEvent"];

const of = (id: string) => ({ params: { path: { id } } });

export const eventRulesQuery = queryOptions({
  queryKey: ["event-rules"],
  queryFn: ({ signal }) => answer(api.GET("/api/event-rules", { signal })),
});

/** How many past events a rule is tried on. */
export const tried = 500;

export const trialQuery = (rule: EventRule) =>
  queryOptions({
    queryKey: ["event-rules", "try", rule],
    queryFn: ({ signal }) => answer(api.POST("/api/event-rules/try", { body: { rule, limit: tried }, signal })),
    retry: false,
  });

export const inboundEventsQuery = (outcome: string) =>
  infiniteQueryOptions({
    queryKey: ["inbound-events", outcome],
    queryFn: ({ signal, pageParam }) =>
      answer(api.GET("/api/inbound-events", { params: { query: { limit: 100, cursor: pageParam, outcome } }, signal })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next,
  });

/** If a version is named, just that is replaced. */
export const saveEventRule = (rule: EventRule, version?: string) =>
  rule.id
    ? answer(api.PUT("/api/event-rules/{id}", { params: { path: { id: rule.id }, header: { "If-Match": version } }, body: rule }))
    : answer(api.POST("/api/event-rules", { body: rule }));
export const removeEventRule = (id: string) => answer(api.DELETE("/api/event-rules/{id}", of(id)));
