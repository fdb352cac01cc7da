// A service while it is edited, and the way from and to the API.

import type { ServiceBody } from "@/api/catalog";
import type { Service } from "@/api/types";
import { parseDuration } from "@/kit/timeRange";
import { hoursOf, restrictionsOf, type Hours } from "../oncall/scheduleDraft";

export interface IntegrationDraft {
  key: number;
  id?: string;
  name: string;
  /** By which events come in; absent: it is made when the service is saved. */
  secret?: string;
  type?: string;
}

/** Which alerts make one incident: all of the service, each by itself, or those that share some fields. */
export type Together = "service" | "none" | "fields";

export interface ServiceDraft {
  name: string;
  description: string;
  team: string;
  policy: string;
  urgency: "high" | "low" | "severity";
  runbook: string;
  repository: string;
  dependsOn: string[];
  /** Minutes; 0: never. */
  ackTimeout: number;
  autoResolve: number;
  together: Together;
  /** With commas between. */
  fields: string;
  /** Minutes after the last alert; 0: as long as the incident is open. */
  within: number;
  /** When its incidents are as urgent as they are; none: around the clock. */
  support: Hours[];
  /** On whose clock these hours are. */
  supportZone: string;
  integrations: IntegrationDraft[];
}

let keys = 0;
export const newIntegration = (name: string): IntegrationDraft => ({ key: ++keys, name });

export const emptyService = (zone: string): ServiceDraft => ({
  name: "",
  description: "",
  team: "",
  policy: "",
  urgency: "high",
  runbook: "",
  repository: "",
  dependsOn: [],
  ackTimeout: 0,
  autoResolve: 0,
  together: "service",
  fields: "",
  within: 0,
  support: [],
  supportZone: zone,
  integrations: [newIntegration("events")],
});

const minutes = (duration?: string) => (duration ? (parseDuration(duration) ?? 0) / 60_000 : 0);
const duration = (minutes: number) => (minutes > 0 ? `${Math.round(minutes * 60)}s` : undefined);

/** The field that makes every alert an incident of its own. */
const alone = "dedup_key";

/** `zone` is the reader's, for hours that are yet to come. */
export function serviceDraft(s: Service, zone: string): ServiceDraft {
  const by = s.grouping?.by ?? [];
  return {
    name: s.name,
    description: s.description ?? "",
    team: s.team ?? "",
    policy: s.escalationPolicy ?? "",
    urgency: s.urgency ?? "high",
    runbook: s.runbook ?? "",
    repository: s.repository ?? "",
    dependsOn: s.dependsOn,
    ackTimeout: minutes(s.ackTimeout),
    autoResolve: minutes(s.autoResolve),
    together: by.length === 0 ? "service" : by.length === 1 && by[0] === alone ? "none" : "fields",
    fields: by.join(", "),
    within: minutes(s.grouping?.within),
    support: hoursOf(s.supportHours?.windows ?? []),
    supportZone: s.supportHours?.timeZone ?? zone,
    integrations: s.integrations.map(({ id, name, key, type }) => ({ key: ++keys, id, name, secret: key, type })),
  };
}

/** The body that saves a draft; what the page does not show of a service stays as it is. */
export function serviceBody(draft: ServiceDraft, stored?: Service): ServiceBody {
  const text = (value: string) => value.trim() || undefined;
  const fields = fieldsOf(draft.fields, stored?.grouping?.by ?? []);
  const by = { service: [], none: [alone], fields }[draft.together];
  const within = duration(draft.within);
  return {
    name: draft.name.trim(),
    description: text(draft.description),
    team: text(draft.team),
    escalationPolicy: text(draft.policy),
    urgency: draft.urgency === "high" ? undefined : draft.urgency,
    runbook: text(draft.runbook),
    repository: text(draft.repository),
    dependsOn: draft.dependsOn,
    supportHours: supportOf(draft, stored?.supportHours),
    ackTimeout: duration(draft.ackTimeout),
    autoResolve: duration(draft.autoResolve),
    grouping: by.length > 0 || within ? { by, within } : undefined,
    integrations: draft.integrations.map(({ id, name, type }) => ({ id, name: name.trim(), type })),
  };
}

/** The names in a text: with commas, semicolons, spaces or lines between. Names of before keep the spaces that they have. */
export function fieldsOf(text: string, before: string[]): string[] {
  if (text === before.join(", ")) return before;
  const trimmed = (parts: string[]) => parts.map((part) => part.trim()).filter((part) => part !== "");
  const names = trimmed(text.split(/[,;\n]/)).flatMap((name) => (before.includes(name) ? name : trimmed(name.split(/\s/))));
  return [...new Set(names)];
}

/** What nobody touched stays as it was, to the second. */
function supportOf({ support, supportZone }: ServiceDraft, before: Service["supportHours"]): ServiceBody["supportHours"] {
  const windows = restrictionsOf(support);
  if (!windows) return undefined;
  const same = JSON.stringify(windows) === JSON.stringify(restrictionsOf(hoursOf(before?.windows ?? [])));
  return { timeZone: supportZone, windows: same && before ? before.windows : windows, outside: before?.outside ?? "low" };
}
