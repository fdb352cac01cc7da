const folders: Record<string, string> = {
  incident: "/incidents/",
  run: "/runs/",
  alert: "/alerts/",
  workload: "/workloads/",
  postmortem: "/postmortems/",
};

/** The page of a timeline entry's reference, such as "incident/01j…". */
export function refPath(ref: string): string | undefined {
  const slash = ref.indexOf("/");
  const folder = folders[ref.slice(0, slash)];
  return folder && folder + encodeURIComponent(ref.slice(slash + 1));
}

export const servicePath = (name: string) => `/services/${encodeURIComponent(name)}`;

/** Logs, searched. */
export const logsPath = (kql: string) => `/logs?q=${encodeURIComponent(kql)}`;

/** Explore, with an expression asked. */
export const explorePath = (expr: string) => `/explore?q=${encodeURIComponent(expr)}`;
