import { queryOptions } from "@tanstack/react-query";
import { get } from "./client";
import type { List, OnCall, Person, Service, SloState, Team } from "./types";

export const servicesQuery = queryOptions({
  queryKey: ["services"],
  queryFn: ({ signal }) => get<List<Service>>("/api/services", { query: { limit: 500 }, signal }),
  staleTime: 60_000,
});

export const serviceQuery = (name: string) =>
  queryOptions({
    queryKey: ["services", name],
    queryFn: ({ signal }) => get<Service>(`/api/services/${encodeURIComponent(name)}`, { signal }),
    staleTime: 60_000,
  });

export const teamsQuery = queryOptions({
  queryKey: ["teams"],
  queryFn: ({ signal }) => get<List<Team>>("/api/teams", { query: { limit: 500 }, signal }),
  staleTime: 60_000,
});

export const peopleQuery = queryOptions({
  queryKey: ["people"],
  queryFn: ({ signal }) => get<List<Person>>("/api/people", { query: { limit: 500 }, signal }),
  staleTime: 60_000,
});

export const onCallsQuery = queryOptions({
  queryKey: ["oncalls"],
  queryFn: ({ signal }) => get<List<OnCall>>("/api/oncalls", { signal }),
});

export const slosQuery = queryOptions({
  queryKey: ["slos"],
  queryFn: ({ signal }) => get<List<SloState>>("/api/slos", { signal }),
  refetchInterval: 30_000,
});
