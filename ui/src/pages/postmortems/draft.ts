import type { Postmortem, Written } from "@/api/types";

/** What of a postmortem can be written, ready to be edited or sent. */
export const writtenOf = ({ title, status, summary, impact, rootCause, lessons, actions }: Postmortem): Written => ({
  title,
  status,
  summary,
  impact,
  rootCause,
  lessons,
  actions,
});

export const sameWritten = (a: Written, b: Written) => JSON.stringify(a) === JSON.stringify(b);

/** What is sent: actions nobody wrote anything into are left out. */
export const trimmed = (draft: Written): Written => ({
  ...draft,
  actions: draft.actions.filter((action) => action.text.trim() !== ""),
});

/** The words of the fields, as headings and in messages. */
export const fieldNames = {
  title: "Title",
  status: "State",
  summary: "Summary",
  impact: "Impact",
  rootCause: "Root cause",
  lessons: "Lessons",
  actions: "Actions",
} as const;

export type Field = keyof typeof fieldNames;
const fields = Object.keys(fieldNames) as Field[];

/**
 * Puts my changes to `base` onto `theirs`. Fields that both changed, differently, are named:
 * there mine is kept, for a person to decide.
 */
export function merge(base: Written, mine: Written, theirs: Written): { merged: Written; both: Field[] } {
  const differ = (a: Written, b: Written, field: Field) => JSON.stringify(a[field]) !== JSON.stringify(b[field]);
  const mineChanged = fields.filter((field) => differ(base, mine, field));
  const merged = { ...theirs, ...Object.fromEntries(mineChanged.map((field) => [field, mine[field]])) };
  return { merged, both: mineChanged.filter((field) => differ(base, theirs, field) && differ(mine, theirs, field)) };
}
