import { queryOptions } from "@tanstack/react-query";
import { get, post, remove } from "./client";
import type { Info, Session } from "./types";

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: ({ signal }) => get<Session>("/api/session", { signal }),
  staleTime: 60_000,
});

export const infoQuery = queryOptions({
  queryKey: ["info"],
  queryFn: ({ signal }) => get<Info>("/api/info", { signal }),
  staleTime: Infinity,
});

export const signIn = (name: string, password: string) => post("/api/session", { name, password });
export const redeem = (token: string) => post("/api/session/redeem", { token });
export const signOut = () => remove("/api/session");
