import { queryOptions } from "@tanstack/react-query";
import { get, send } from "./client";
import type { List, Postmortem, PostmortemDetail, Written } from "./types";

const path = (id: string) => `/api/postmortems/${encodeURIComponent(id)}`;

export const postmortemsQuery = queryOptions({
  queryKey: ["postmortems"],
  queryFn: ({ signal }) => get<List<Postmortem>>("/api/postmortems", { signal }),
});

/** The postmortem of an incident, if it has one yet. */
export const postmortemOfQuery = (incident: string) =>
  queryOptions({
    queryKey: ["postmortems", { incident }],
    queryFn: ({ signal }) => get<List<Postmortem>>("/api/postmortems", { query: { incident }, signal }),
    select: (list) => list.items[0],
  });

export const postmortemQuery = (id: string) =>
  queryOptions({
    queryKey: ["postmortems", id],
    queryFn: ({ signal }) => get<PostmortemDetail>(path(id), { signal }),
  });

/** Saves what was edited on top of `version`; a Problem with code "conflict" if somebody saved in between. */
export const savePostmortem = (id: string, version: number, body: Written) =>
  send<PostmortemDetail>("PUT", path(id), { body, headers: { "If-Match": String(version) } });

export const postmortemMarkdownPath = (id: string) => `${path(id)}/markdown`;
