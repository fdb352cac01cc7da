import { useMutation, useQueryClient } from "@tanstack/react-query";

/** Something done to an incident, after which everything shown of incidents is asked for again. */
export function useIncidentAction<V = void>(run: (value: V) => Promise<unknown>, done?: () => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: run,
    onSuccess: done,
    onSettled: () => client.invalidateQueries({ queryKey: ["incidents"] }),
  });
}
