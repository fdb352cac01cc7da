import { queryOptions } from "@tanstack/react-query";
import { answer, api } from "./client";
import type { Written } from "./types";

export const postmortemsQuery = queryOptions({
  queryKey: ["postmortems"],
  queryFn: ({ signal }) => answer(api.GET("/api/postmortems", { signal })),
});

/** The postmortem of an incident, if it has one yet. */
export const postmortemOfQuery = (incident: string) =>
  queryOptions({
    queryKey: ["postmortems", { incident }],
    queryFn: ({ signal }) => answer(api.GET("/api/postmortems", { params: { query: { incident } }, signal })),
    select: (list) => list.items[0],
  });

export const postmortemQuery = (id: string) =>
  queryOptions({
    queryKey: ["postmortems", id],
    queryFn: ({ signal }) => answer(api.GET("/api/postmortems/{id}", { params: { path: { id } }, signal })),
  });

/** Saves what was edited on top of `version`; a Problem with code "conflict" if somebody saved in between. */
export const savePostmortem = (id: string, version: number, body: Written) =>
  answer(api.PUT("/api/postmortems/{id}", { params: { path: { id }, header: { "If-Match": String(version) } }, body }));

export const postmortemMarkdownPath = (id: string) => `/api/postmortems/${encodeURIComponent(id)}/markdown`;
