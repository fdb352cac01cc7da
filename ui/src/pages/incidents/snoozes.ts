/** What one tap on Snooze asks for. */
export const oneHour = "1h";

/** How long an incident may wait, as people say it; `time` is what the API takes. */
export function snoozes(now: Date): { label: string; time: string }[] {
  const morning = new Date(now);
  if (morning.getHours() >= 8) morning.setDate(morning.getDate() + 1);
  morning.setHours(9, 0, 0, 0);
  const minutes = Math.max(1, Math.round((morning.getTime() - now.getTime()) / 60_000));
  return [
    { label: "for 30 minutes", time: "30m" },
    { label: "for 1 hour", time: oneHour },
    { label: "for 4 hours", time: "4h" },
    { label: now.getHours() >= 8 ? "until 9:00 tomorrow" : "until 9:00 today", time: `${minutes}m` },
    { label: "for a week", time: "168h" },
  ];
}
