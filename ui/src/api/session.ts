import { queryOptions } from "@tanstack/react-query";
import { answer, api } from "./client";

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: ({ signal }) => answer(api.GET("/api/session", { signal })),
  staleTime: 60_000,
});

export const infoQuery = queryOptions({
  queryKey: ["info"],
  queryFn: ({ signal }) => answer(api.GET("/api/info", { signal })),
  staleTime: Infinity,
  // The first sample comes moments after the first start.
  refetchInterval: ({ state }) => (state.data && !state.data.samplesSince ? 5_000 : false),
});

export const signIn = (name: string, password: string) => answer(api.POST("/api/session", { body: { name, password } }));
export const redeem = (token: string) => answer(api.POST("/api/session/redeem", { body: { token } }));
export const signOut = () => answer(api.DELETE("/api/session"));
