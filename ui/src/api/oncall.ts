import { queryOptions, useQueryClient } from "@tanstack/react-query";
import { answer, api } from "./client";

export const onCallNowQuery = queryOptions({
  queryKey: ["oncall"],
  queryFn: ({ signal }) => answer(api.GET("/api/oncall", { params: { query: {} }, signal })),
  refetchInterval: 60_000,
});

export const renderedQuery = (schedule: string, from: string, to: string) =>
  queryOptions({
    queryKey: ["oncall", schedule, from, to],
    queryFn: ({ signal }) => answer(api.GET("/api/schedules/{ref}/rendered", { params: { path: { ref: schedule }, query: { from, to } }, signal })),
  });

/** Of the last `days`. */
export const fairnessQuery = (schedule: string, days: number) =>
  queryOptions({
    queryKey: ["oncall", schedule, "fairness", days],
    queryFn: ({ signal }) =>
      answer(api.GET("/api/schedules/{ref}/fairness", { params: { path: { ref: schedule }, query: { from: `now-${days}d`, to: "now" } }, signal })),
  });

/** How the incidents of the last `days` went, and whom they paged. */
export const analyticsQuery = (days: number, service: string) =>
  queryOptions({
    queryKey: ["oncalls", "analytics", days, service],
    queryFn: ({ signal }) => answer(api.GET("/api/oncall-analytics", { params: { query: { from: `now-${days}d`, service } }, signal })),
  });

export const override = (schedule: string, body: { person: string; start: string; end: string }) =>
  answer(api.POST("/api/schedules/{ref}/overrides", { params: { path: { ref: schedule } }, body }));
export const endOverride = (schedule: string, id: string) =>
  answer(api.DELETE("/api/schedules/{ref}/overrides/{id}", { params: { path: { ref: schedule, id } } }));
/** Asks again who is on call, and for the overrides that say so. */
export function useRotaChanged() {
  const client = useQueryClient();
  return () => Promise.all(["oncall", "schedules"].map((key) => client.invalidateQueries({ queryKey: [key] })));
}

type Span = { start: string; end: string };
/** Two people take each other's place: whoever has all of `a` takes `b`, and the other way round. */
export const swapShifts = (schedule: string, a: Span, b: Span) =>
  answer(api.POST("/api/schedules/{ref}/swaps", { params: { path: { ref: schedule } }, body: { a, b } }));
/** Takes the shifts of an .ics file over as overrides, or only says what that would do. */
export const importCalendar = (schedule: string, calendar: string, source: string, dryRun: boolean) =>
  answer(api.POST("/api/schedules/{ref}/import", { params: { path: { ref: schedule } }, body: { calendar, source, dryRun } }));
export const scheduleFeed = (schedule: string) => answer(api.GET("/api/schedules/{ref}/feed", { params: { path: { ref: schedule } } }));

export const addContact = (person: string, body: { channel: Channel; label?: string; address: string }) =>
  answer(api.POST("/api/people/{ref}/contacts", { params: { path: { ref: person } }, body }));
const contact = (person: string, id: string) => ({ params: { path: { ref: person, id } } });
export const removeContact = (person: string, id: string) => answer(api.DELETE("/api/people/{ref}/contacts/{id}", contact(person, id)));
export const sendCode = (person: string, id: string) => answer(api.POST("/api/people/{ref}/contacts/{id}/code", contact(person, id)));
export const testContact = (person: string, id: string) => answer(api.POST("/api/people/{ref}/contacts/{id}/test", contact(person, id)));
export const verifyContact = (person: string, id: string, code: string) =>
  answer(api.POST("/api/people/{ref}/contacts/{id}/verify", { ...contact(person, id), body: { code } }));
export const addRule = (person: string, body: { urgency: "high" | "low"; after: string; contact: string }) =>
  answer(api.POST("/api/people/{ref}/rules", { params: { path: { ref: person } }, body }));
export const removeRule = (person: string, id: string) => answer(api.DELETE("/api/people/{ref}/rules/{id}", contact(person, id)));
export const pushKey = () => answer(api.GET("/api/push-key"));

export const channels = ["email", "sms", "voice", "push", "slack", "teams", "discord", "telegram", "ntfy", "webhook"] as const;
export type Channel = (typeof channels)[number];
