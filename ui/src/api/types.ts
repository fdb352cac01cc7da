// The shapes of the server's answers, as the API describes them.

export type Tone = "critical" | "warning" | "good" | "info" | "fault";

export interface List<T> {
  items: T[];
  next?: string;
}

export interface Info {
  version: string;
  commit: string;
  goVersion: string;
  startedAt: string;
  publicUrl: string;
  demo: boolean;
  storage: string;
  dataDir?: string;
}

export type Role = "viewer" | "responder" | "operator" | "admin";

export interface User {
  id: string;
  name: string;
  email?: string;
  role: Role;
  disabled?: boolean;
  /** Without one, only a one-time link lets the user in. */
  hasPassword?: boolean;
  createdAt?: string;
  seenAt?: string;
}

export interface Session {
  authenticated: boolean;
  user?: User;
  methods: string[];
}

export interface Token {
  id: string;
  name: string;
  role: Role;
  scopes: string[];
  createdAt: string;
  /** The user it acts for. */
  owner?: string;
  expiresAt?: string;
  usedAt?: string;
}

export interface AuditEntry {
  id: string;
  time: string;
  actor: string;
  action: string;
  target?: string;
  detail?: string;
  /** Where the request came from. */
  address?: string;
}

export interface Slo {
  name: string;
  objective: number;
  window: string;
  good: string;
  total: string;
}

export interface Service {
  name: string;
  description?: string;
  team?: string;
  escalationPolicy?: string;
  repository?: string;
  runbook?: string;
  dependsOn: string[];
  /** PromQL: requests a second, failed requests a second, seconds. */
  signals: { traffic: string; errors: string; latencyP99: string };
  slos: Slo[];
}

export interface Team {
  name: string;
  members: string[];
}

export interface Person {
  name: string;
  fullName?: string;
  email?: string;
  timeZone?: string;
}

export interface OnCall {
  policy: string;
  services: string[];
  levels: { level: number; after: string; people: string[] }[];
}

export type EntryKind = "change" | "alert" | "incident" | "page" | "run" | "postmortem";

export interface Entry {
  seq: number;
  id: string;
  time: string;
  kind: EntryKind;
  action: string;
  service?: string;
  title: string;
  actor?: string;
  ref?: string;
  tone: Tone;
  data?: Record<string, string>;
}

export interface Alert {
  id: string;
  name: string;
  service?: string;
  severity: string;
  state: "firing" | "resolved";
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** Absent if it is not a finite number. */
  value?: number;
  startsAt: string;
  endsAt?: string;
  /** Why it is resolved. */
  ended?: string;
  expr: string;
  source: "rule" | "slo";
}

export interface SloState {
  service: string;
  name: string;
  objective: number;
  window: string;
  /** Part that was good over the window; absent without traffic. */
  sli?: number;
  /** Part of the error budget that is left; below 0 when overspent. */
  budgetRemaining?: number;
  /** Why something here could not be computed. */
  error?: string;
  burn: {
    long: string;
    short: string;
    factor: number;
    severity: string;
    longBurn?: number;
    shortBurn?: number;
    firing: boolean;
  }[];
}

export type IncidentStatus = "triggered" | "acknowledged" | "resolved";

export interface Page {
  id: string;
  person: string;
  channel: string;
  address: string;
  /** Of the policy; 0 is the last resort. */
  level: number;
  status: string;
  attempts: number;
  at: string;
  error?: string;
}

export interface Incident {
  id: string;
  number: number;
  title: string;
  service: string;
  status: IncidentStatus;
  severity: string;
  openedAt: string;
  /** Who opened it by hand; absent if an alert did. */
  openedBy?: string;
  acknowledgedAt?: string;
  acknowledgedBy?: string;
  resolvedAt?: string;
  resolvedBy?: string;
  policy?: string;
  /** What happens if nobody acknowledges; without a time nobody is left to page. */
  nextStep?: { at?: string; what: string };
}

export interface IncidentLogEntry {
  time: string;
  action: string;
  actor?: string;
  text: string;
}

export interface IncidentDetail extends Incident {
  alerts: { id: string; title: string; status: string; at: string }[];
  /** Oldest first. */
  pages: Page[];
  /** Oldest first. */
  log: IncidentLogEntry[];
}

export interface Suspect {
  entry: Entry;
  score: number;
  reasons: string[];
  action?: { kind: "rollback"; workload: string; revision: number; title: string };
}

export type RunStatus = "queued" | "running" | "succeeded" | "failed" | "canceled" | "interrupted";

export interface Step {
  path: string;
  name: string;
  depth: number;
  status: string;
  attempt: number;
  startedAt?: string;
  finishedAt?: string;
  error?: string;
}

export interface Run {
  id: string;
  kind: string;
  title: string;
  service?: string;
  actor?: string;
  status: RunStatus;
  error?: string;
  queuedAt: string;
  startedAt?: string;
  finishedAt?: string;
  steps: Step[];
  output?: Record<string, string>;
}

export interface LogLine {
  seq: number;
  time: string;
  step?: string;
  stream: "out" | "err" | "sys";
  text: string;
}

export interface Workload {
  name: string;
  service?: string;
  version?: string;
  revision: number;
  status: "running" | "starting" | "crashing" | "stopped";
  reason?: string;
  pid?: number;
  restarts: number;
  startedAt?: string;
  address?: string;
  ready: boolean;
  /** The revision has not been ready yet. */
  deploying?: boolean;
  /** The run that brought the revision. */
  run?: string;
}

export interface Revision {
  revision: number;
  version?: string;
  at: string;
  actor?: string;
  action?: "deploy" | "rollback";
  run?: string;
  state?: "pending" | "good" | "failed";
  /** Why it failed. */
  fault?: string;
  manifest: string;
  current: boolean;
}

/** What people write in a postmortem, Markdown throughout. */
export interface Written {
  title: string;
  status: "draft" | "published";
  summary: string;
  impact: string;
  rootCause: string;
  lessons: string;
  actions: { text: string; owner?: string; done?: boolean }[];
}

export interface Postmortem extends Written {
  id: string;
  incidentId: string;
  /** Of the incident. */
  number: number;
  service: string;
  services: string[];
  severity: string;
  openedAt: string;
  acknowledgedAt?: string;
  acknowledgedBy?: string;
  resolvedAt: string;
  resolvedBy?: string;
  people: string[];
  version: number;
  createdAt: string;
  updatedAt: string;
}

export interface PostmortemDetail extends Postmortem {
  /** Oldest first. */
  timeline: Entry[];
}

export interface Mailbox {
  emails: { id: string; at: string; from: string; to: string[]; subject: string; text: string }[];
  webhooks: { id: string; at: string; path: string; delivery: string; body: string }[];
}

export interface StoryStage {
  name: string;
  state: "waiting" | "active" | "done";
  openedAt?: string;
  closedAt?: string;
  seconds?: number;
  hint: string;
  link?: string;
}

export interface Story {
  auto: boolean;
  /** URL of the storefront. */
  shop?: string;
  stages: StoryStage[];
}
