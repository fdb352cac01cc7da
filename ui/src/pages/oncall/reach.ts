import type { Person } from "@/api/types";
import type { StateTone } from "@/kit/tone";

/** Whether pages reach somebody, in a few words. */
export function reach({ contacts }: Pick<Person, "contacts">): { words: string; tone: StateTone } {
  const usable = contacts.filter((c) => c.file !== undefined || c.verified !== undefined);
  const channels = [...new Set(usable.map((c) => c.channel))];
  if (channels.length > 0) return { words: channels.join(", "), tone: "good" };
  return contacts.length > 0 ? { words: "nothing verified", tone: "warning" } : { words: "nothing", tone: "critical" };
}
