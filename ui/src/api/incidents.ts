import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answer, api, type Loose } from "./client";
import type { components, operations } from "./schema";

type Filter = operations["list-incidents"]["parameters"]["query"];

const of = (id: string) => ({ params: { path: { id } } });

export const incidentsQuery = (filter: Loose<Filter> = {}) =>
  queryOptions({
    queryKey: ["incidents", filter],
    queryFn: ({ signal }) => answer(api.GET("/api/incidents", { params: { query: { limit: 200, ...filter } as Filter }, signal })),
  });

export type OpenOfService = components["schemas"]["IncidentOpenOfService"];

/** How many are open of each service. */
export const openIncidentsQuery = queryOptions({
  queryKey: ["incidents", "open by service"],
  queryFn: ({ signal }) => answer(api.GET("/api/open-incidents", { signal })),
});

/** All of them, a part at a time. */
export const incidentListQuery = (filter: Loose<Filter>) =>
  infiniteQueryOptions({
    queryKey: ["incidents", "list", filter],
    queryFn: ({ signal, pageParam }) =>
      answer(api.GET("/api/incidents", { params: { query: { limit: 200, ...filter, cursor: pageParam } as Filter }, signal })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next,
  });

export const incidentQuery = (id: string) =>
  queryOptions({
    queryKey: ["incidents", id],
    queryFn: ({ signal }) => answer(api.GET("/api/incidents/{id}", { ...of(id), signal })),
  });

export const suspectsQuery = (id: string) =>
  queryOptions({
    queryKey: ["incidents", id, "suspects"],
    queryFn: ({ signal }) => answer(api.GET("/api/incidents/{id}/suspects", { ...of(id), signal })),
  });

export const openIncident = (body: components["schemas"]["CreateIncidentRequest"]) => answer(api.POST("/api/incidents", { body }));
export const acknowledge = (id: string) => answer(api.POST("/api/incidents/{id}/ack", of(id)));
export const resolve = (id: string) => answer(api.POST("/api/incidents/{id}/resolve", of(id)));
export const addNote = (id: string, text: string) => answer(api.POST("/api/incidents/{id}/notes", { ...of(id), body: { text } }));
export const snooze = (id: string, time: string) => answer(api.POST("/api/incidents/{id}/snooze", { ...of(id), body: { for: time } }));
export const escalate = (id: string) => answer(api.POST("/api/incidents/{id}/escalate", of(id)));
export const reassign = (id: string, body: { people?: string[]; policy?: string }) =>
  answer(api.POST("/api/incidents/{id}/reassign", { ...of(id), body }));
export const merge = (id: string, sources: string[]) => answer(api.POST("/api/incidents/{id}/merge", { ...of(id), body: { sources } }));
/** Kept with the incident, and sent to the people named. */
export const publishUpdate = (id: string, text: string, people?: string[]) =>
  answer(api.POST("/api/incidents/{id}/updates", { ...of(id), body: { text, people } }));
export const unacknowledge = (id: string) => answer(api.POST("/api/incidents/{id}/unacknowledge", of(id)));
export const reopen = (id: string) => answer(api.POST("/api/incidents/{id}/reopen", of(id)));
/** Takes back that it was resolved or snoozed: it is the reader's, and nobody is paged. */
export const retake = (id: string) => answer(api.POST("/api/incidents/{id}/reopen", { params: { path: { id }, query: { take: true } } }));
export const askResponders = (id: string, body: components["schemas"]["AskRespondersRequest"]) =>
  answer(api.POST("/api/incidents/{id}/responders", { ...of(id), body }));
/** Says whether the reader, who was asked, helps. */
export const answerRequest = (id: string, joins: boolean) => answer(api.POST("/api/incidents/{id}/answer", { ...of(id), body: { joins } }));
/** Without an id it is a new one. */
export const saveTask = (id: string, body: components["schemas"]["SaveIncidentTaskRequest"]) =>
  answer(api.POST("/api/incidents/{id}/tasks", { ...of(id), body }));
export const editIncident = (id: string, body: components["schemas"]["EditIncidentRequest"]) =>
  answer(api.PATCH("/api/incidents/{id}", { ...of(id), body }));
export const prioritiesQuery = queryOptions({
  queryKey: ["priorities"],
  queryFn: ({ signal }) => answer(api.GET("/api/priorities", { signal })),
  staleTime: 60_000,
});
export const setRole = (id: string, role: "commander" | "scribe" | "liaison", person?: string) =>
  answer(api.PUT("/api/incidents/{id}/roles/{role}", { params: { path: { id, role } }, body: { person } }));
export const rollBackFor = (id: string, { workload, revision }: { workload: string; revision: number }) =>
  answer(api.POST("/api/incidents/{id}/rollback", { ...of(id), body: { workload, revision } }));
