// Names for the shapes in the API's document, which schema.d.ts is generated from.
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Info = Schemas["Info"];
export type Session = Schemas["Session"];
/** Who is signed in. */
export type Me = Schemas["SessionUser"];
export type User = Schemas["AuthUser"];
export type Role = User["role"];
export type Token = Schemas["AuthToken"];
export type AuditEntry = Schemas["AuthEntry"];

export type Service = Schemas["CatalogService"];
export type Team = Schemas["CatalogTeam"];
export type Person = Schemas["CatalogPerson"];
export type OnCall = Schemas["IncidentOnCall"];
export type Schedule = Schemas["CatalogSchedule"];
export type Policy = Schemas["CatalogPolicy"];
export type OnCallNow = Schemas["CatalogOnCallNow"];
export type Rendered = Schemas["CatalogRendered"];
export type Shift = Schemas["ScheduleShift"];
export type Share = Schemas["ScheduleShare"];
export type Contact = Schemas["CatalogContact"];
export type SloState = Schemas["AlertStatus"];

export type Entry = Schemas["TimelineEntry"];
export type Tone = Entry["tone"];

export type Alert = Schemas["Alert"];
/** Where an alert goes, and what holds it. */
export type Destination = Schemas["AlertDestination"];
export type AlertPart = Schemas["AlertPart"];
export type Silence = Schemas["AlertSilenceView"];
export type RouteTree = Schemas["AlertmanagerTree"];
export type RouteNode = Schemas["AlertmanagerNode"];

export type Incident = Schemas["Incident"];
export type IncidentDetail = Schemas["IncidentDetail"];
export type IncidentLogEntry = Schemas["IncidentLogEntry"];
export type Page = Schemas["IncidentPage"];
export type Suspect = Schemas["LoopSuspect"];

export type Run = Schemas["Run"];
export type Step = Schemas["RunStep"];
export type LogLine = Schemas["RunLine"];

export type Workload = Schemas["OrchestrateWorkload"];
export type Revision = Schemas["OrchestrateRevision"];

export type Postmortem = Schemas["Postmortem"];
export type PostmortemDetail = Schemas["PostmortemDetail"];
/** What people write in a postmortem, Markdown throughout. */
export type Written = Schemas["PostmortemWritten"];

export type Mailbox = Schemas["DemoMail"];
export type Story = Schemas["DemoStory"];
