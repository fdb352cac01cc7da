import { queryOptions } from "@tanstack/react-query";
import { get } from "./client";
import type { Mailbox, Story } from "./types";

export const mailboxQuery = queryOptions({
  queryKey: ["mailbox"],
  queryFn: ({ signal }) => get<Mailbox>("/api/demo/mailbox", { signal }),
  refetchInterval: 3_000,
});

export const storyQuery = queryOptions({
  queryKey: ["story"],
  queryFn: ({ signal }) => get<Story>("/api/demo/story", { signal }),
  refetchInterval: 2_000,
});
