import { queryOptions } from "@tanstack/react-query";
import { answer, api } from "./client";

export const mailboxQuery = queryOptions({
  queryKey: ["mailbox"],
  queryFn: ({ signal }) => answer(api.GET("/api/demo/mailbox", { signal })),
  refetchInterval: 3_000,
});

export const storyQuery = queryOptions({
  queryKey: ["story"],
  queryFn: ({ signal }) => answer(api.GET("/api/demo/story", { signal })),
  refetchInterval: 2_000,
});
