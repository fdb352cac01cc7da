import { QueryClient } from "@tanstack/react-query";
import { Problem } from "./problem";

/** Query keys start with the resource's name, so that the live stream can invalidate by it. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      retry: (count, error) => error instanceof Problem && error.passing && count < 3,
      refetchOnWindowFocus: true,
    },
  },
});
