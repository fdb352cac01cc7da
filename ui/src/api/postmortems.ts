import { queryOptions } from "@tanstack/react-query";
import { get, send } from "./client";
import type { List, Postmortem } from "./types";

const path = (id: string) => `/api/postmortems/${encodeURIComponent(id)}`;

export const postmortemsQuery = queryOptions({
  queryKey: ["postmortems"],
  queryFn: ({ signal }) => get<List<Postmortem>>("/api/postmortems", { signal }),
});

export const postmortemQuery = (id: string) =>
  queryOptions({
    queryKey: ["postmortems", id],
    queryFn: ({ signal }) => get<Postmortem>(path(id), { signal }),
  });

/** Saves what was edited on top of `version`; a Problem with code "conflict" if somebody saved in between. */
export const savePostmortem = (id: string, version: string, body: Partial<Postmortem>) =>
  send<Postmortem>("PUT", path(id), { body, headers: { "If-Match": version } });

export const postmortemMarkdownPath = (id: string) => `${path(id)}.md`;
