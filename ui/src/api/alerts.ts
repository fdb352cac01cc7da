import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Loose } from "./client";
import type { components, operations } from "./schema";

type Filter = operations["list-alerts"]["parameters"]["query"];

export const alertsQuery = (filter: Loose<Filter> = {}) =>
  queryOptions({
    queryKey: ["alerts", filter],
    queryFn: ({ signal }) => answer(api.GET("/api/alerts", { params: { query: { limit: 200, ...filter } as Filter }, signal })),
  });

export type FiringOfService = components["schemas"]["AlertFiringOfService"];

/** How many fire of each service, with which severity. */
export const firingAlertsQuery = queryOptions({
  queryKey: ["alerts", "firing by service"],
  queryFn: ({ signal }) => answer(api.GET("/api/firing-alerts", { signal })),
});

export const alertQuery = (id: string) =>
  queryOptions({
    queryKey: ["alerts", id],
    queryFn: ({ signal }) => answer(api.GET("/api/alerts/{id}", { params: { path: { id } }, signal })),
  });

const of = (id: string) => ({ params: { path: { id } } });

/** Where an alert goes, and what holds it. */
export const destinationQuery = (id: string) =>
  queryOptions({
    queryKey: ["alerts", id, "destination"],
    queryFn: ({ signal }) => answer(api.GET("/api/alerts/{id}/destination", { ...of(id), signal })),
    refetchInterval: 15_000,
  });

/** The expression of an alert, part by part. */
export const whyQuery = (id: string) =>
  queryOptions({
    queryKey: ["alerts", id, "why"],
    queryFn: ({ signal }) => answer(api.GET("/api/alerts/{id}/why", { ...of(id), signal })),
  });

/** A parameter that is given once for each value: values may hold commas. */
const repeated = (query: object) => {
  const params = new URLSearchParams();
  for (const [name, values] of Object.entries(query) as [string, string | boolean | string[] | undefined][]) {
    if (values === undefined || values === false) continue;
    for (const value of Array.isArray(values) ? values : [String(values)]) params.append(name, value);
  }
  return params.toString();
};

export const routesQuery = queryOptions({
  queryKey: ["alert-routes"],
  queryFn: ({ signal }) => answer(api.GET("/api/alert-routes", { signal })),
  refetchInterval: 30_000,
});

/** Where an alert with these labels, as name=value, would go. */
export const routeTestQuery = (label: string[], outside: boolean) =>
  queryOptions({
    queryKey: ["alert-routes", "test", label, outside],
    queryFn: ({ signal }) =>
      answer(api.GET("/api/alert-routes/test", { params: { query: { label, outside } }, querySerializer: repeated, signal })),
    retry: false,
  });

export const silencesQuery = queryOptions({
  queryKey: ["silences"],
  queryFn: ({ signal }) => answer(api.GET("/api/silences", { signal })),
  refetchInterval: 15_000,
});

/** Which of the alerts that fire now a silence would hold. */
export const silencePreviewQuery = (matcher: string[]) =>
  queryOptions({
    queryKey: ["silences", "preview", matcher],
    queryFn: ({ signal }) => answer(api.GET("/api/silences/preview", { params: { query: { matcher } }, querySerializer: repeated, signal })),
    retry: false,
  });

export const createSilence = (body: components["schemas"]["AlertSilenceInput"]) => answer(api.POST("/api/silences", { body }));
export const expireSilence = (id: string) => answer(api.POST("/api/silences/{id}/expire", of(id)));
