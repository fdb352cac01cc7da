import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { get, post, remove, send } from "./client";
import type { AuditEntry, List, Role, Token, User } from "./types";

export const usersQuery = queryOptions({
  queryKey: ["users"],
  queryFn: ({ signal }) => get<List<User>>("/api/users", { signal }),
});

export const tokensQuery = queryOptions({
  queryKey: ["tokens"],
  queryFn: ({ signal }) => get<List<Token>>("/api/tokens", { signal }),
});

export const auditQuery = infiniteQueryOptions({
  queryKey: ["audit"],
  queryFn: ({ signal, pageParam }) =>
    get<List<AuditEntry>>("/api/audit", { query: { limit: 100, cursor: pageParam }, signal }),
  initialPageParam: "",
  getNextPageParam: (last) => last.next,
});

/** Without a password the answer holds a one-time link. */
export const createUser = (body: { name: string; email?: string; role: Role; password?: string }) =>
  post<{ user: User; link?: string }>("/api/users", body);
export const updateUser = (id: string, body: { email?: string; role?: Role; disabled?: boolean }) =>
  send<User>("PATCH", `/api/users/${encodeURIComponent(id)}`, { body });
/** One's own needs the current one, if there is one. */
export const setPassword = (id: string, body: { password: string; current?: string }) =>
  post<undefined>(`/api/users/${encodeURIComponent(id)}/password`, body);
export const createUserLink = (id: string) => post<{ link: string }>(`/api/users/${encodeURIComponent(id)}/link`);
export const createToken = (body: { name: string; role: Role; scopes?: string[]; expiresAt?: string }) =>
  post<{ token: Token; secret: string }>("/api/tokens", body);
export const revokeToken = (id: string) => remove(`/api/tokens/${encodeURIComponent(id)}`);
