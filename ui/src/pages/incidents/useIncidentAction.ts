import { useMutation, useQueryClient } from "@tanstack/react-query";

/** Asks again for everything that is shown of incidents. */
export function useIncidentsChanged() {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: ["incidents"] });
}

/** Something done to an incident, after which everything shown of incidents is asked for again. */
export function useIncidentAction<V = void>(run: (value: V) => Promise<unknown>, done?: (result: unknown, value: V) => void) {
  const changed = useIncidentsChanged();
  return useMutation({ mutationFn: run, onSuccess: done, onSettled: changed });
}
