import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answer, api } from "./client";
import type { components } from "./schema";

type Schemas = components["schemas"];

const of = (id: string) => ({ params: { path: { id } } });

export const usersQuery = queryOptions({
  queryKey: ["users"],
  queryFn: ({ signal }) => answer(api.GET("/api/users", { signal })),
});

export const tokensQuery = queryOptions({
  queryKey: ["tokens"],
  queryFn: ({ signal }) => answer(api.GET("/api/tokens", { signal })),
});

export const auditQuery = infiniteQueryOptions({
  queryKey: ["audit"],
  queryFn: ({ signal, pageParam }) => answer(api.GET("/api/audit", { params: { query: { limit: 100, cursor: pageParam } }, signal })),
  initialPageParam: "",
  getNextPageParam: (last) => last.next,
});

/** Without a password the answer holds a one-time link. */
export const createUser = (body: Schemas["CreateUserRequest"]) => answer(api.POST("/api/users", { body }));
export const updateUser = (id: string, body: Schemas["UpdateUserRequest"]) => answer(api.PATCH("/api/users/{id}", { ...of(id), body }));
/** One's own needs the current one, if there is one. */
export const setPassword = (id: string, body: Schemas["SetPasswordRequest"]) => answer(api.POST("/api/users/{id}/password", { ...of(id), body }));
export const createUserLink = (id: string) => answer(api.POST("/api/users/{id}/link", of(id)));
export const createToken = (body: Schemas["CreateTokenRequest"]) => answer(api.POST("/api/tokens", { body }));
export const revokeToken = (id: string) => answer(api.DELETE("/api/tokens/{id}", of(id)));
