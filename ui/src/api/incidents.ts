import { queryOptions } from "@tanstack/react-query";
import { get, post } from "./client";
import type { Incident, IncidentDetail, List, Run, Suspect } from "./types";

const path = (id: string) => `/api/incidents/${encodeURIComponent(id)}`;

export const incidentsQuery = (filter: { status?: string; service?: string; limit?: number } = {}) =>
  queryOptions({
    queryKey: ["incidents", filter],
    queryFn: ({ signal }) => get<List<Incident>>("/api/incidents", { query: { limit: 200, ...filter }, signal }),
  });

export const incidentQuery = (id: string) =>
  queryOptions({
    queryKey: ["incidents", id],
    queryFn: ({ signal }) => get<IncidentDetail>(path(id), { signal }),
  });

export const suspectsQuery = (id: string) =>
  queryOptions({
    queryKey: ["incidents", id, "suspects"],
    queryFn: ({ signal }) => get<List<Suspect>>(`${path(id)}/suspects`, { signal }),
  });

export const openIncident = (body: { service: string; title: string; severity: string }) =>
  post<Incident>("/api/incidents", body);
export const acknowledge = (id: string) => post<Incident>(`${path(id)}/ack`);
export const resolve = (id: string) => post<Incident>(`${path(id)}/resolve`);
export const addNote = (id: string, text: string) => post<Incident>(`${path(id)}/notes`, { text });
export const rollBackFor = (id: string, target: { workload: string; revision: number }) =>
  post<Run>(`${path(id)}/rollback`, target);
