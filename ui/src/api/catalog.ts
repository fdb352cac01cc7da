import { queryOptions, useQueryClient } from "@tanstack/react-query";
import { answer, api } from "./client";
import type { components } from "./schema";

type Schemas = components["schemas"];
export type ScheduleBody = Schemas["CatalogScheduleBody"];
export type LayerBody = Schemas["CatalogLayerBody"];
export type Restriction = Schemas["ScheduleRestriction"];
export type PolicyBody = Schemas["CatalogPolicyBody"];
export type TeamBody = Schemas["CatalogTeamBody"];
export type PersonBody = Schemas["CatalogPersonBody"];
export type ServiceBody = Schemas["CatalogServiceBody"];

const of = (id: string) => ({ params: { path: { id } } });
const staleTime = 60_000;

export const teamsQuery = queryOptions({
  queryKey: ["teams"],
  queryFn: ({ signal }) => answer(api.GET("/api/teams", { signal })),
  staleTime,
});

export const policiesQuery = queryOptions({
  queryKey: ["policies"],
  queryFn: ({ signal }) => answer(api.GET("/api/policies", { signal })),
  staleTime,
});

export const schedulesQuery = queryOptions({
  queryKey: ["schedules"],
  queryFn: ({ signal }) => answer(api.GET("/api/schedules", { signal })),
  staleTime,
});

/** What saving a schedule would bring; `schedule` is the one it would replace. */
export const previewQuery = (body: ScheduleBody, schedule: string | undefined, from: string, to: string) =>
  queryOptions({
    queryKey: ["schedule-preview", body, schedule, from, to],
    queryFn: ({ signal }) => answer(api.POST("/api/schedule-preview", { params: { query: { from, to, schedule } }, body, signal })),
    retry: false,
  });

/** An entry, and the version of it that is to be replaced; any, if none is named. */
const at = (id: string, version?: string) => ({ params: { path: { id }, header: { "If-Match": version } } });

/** Makes an entry, or replaces the one of that id: if a version is named, just that. */
export const saveSchedule = (id: string | undefined, body: ScheduleBody, version?: string) =>
  id ? answer(api.PUT("/api/schedules/{id}", { ...at(id, version), body })) : answer(api.POST("/api/schedules", { body }));
export const savePolicy = (id: string | undefined, body: PolicyBody, version?: string) =>
  id ? answer(api.PUT("/api/policies/{id}", { ...at(id, version), body })) : answer(api.POST("/api/policies", { body }));
export const saveTeam = (id: string | undefined, body: TeamBody, version?: string) =>
  id ? answer(api.PUT("/api/teams/{id}", { ...at(id, version), body })) : answer(api.POST("/api/teams", { body }));
export const savePerson = (id: string | undefined, body: PersonBody, version?: string) =>
  id ? answer(api.PUT("/api/people/{id}", { ...at(id, version), body })) : answer(api.POST("/api/people", { body }));
export const saveService = (id: string | undefined, body: ServiceBody, version?: string) =>
  id ? answer(api.PUT("/api/services/{id}", { ...at(id, version), body })) : answer(api.POST("/api/services", { body }));

export const removeSchedule = (id: string) => answer(api.DELETE("/api/schedules/{id}", of(id)));
export const removePolicy = (id: string) => answer(api.DELETE("/api/policies/{id}", of(id)));
export const removeTeam = (id: string) => answer(api.DELETE("/api/teams/{id}", of(id)));
export const removeService = (id: string) => answer(api.DELETE("/api/services/{id}", of(id)));
export const removePerson = (id: string) => answer(api.DELETE("/api/people/{id}", of(id)));

/** Entries name each other: after a change of one, all that is shown of them is asked for again. */
export function useCatalogChanged() {
  const client = useQueryClient();
  const keys = ["teams", "policies", "schedules", "people", "services", "oncall", "oncalls"];
  return () => Promise.all(keys.map((key) => client.invalidateQueries({ queryKey: [key] })));
}
