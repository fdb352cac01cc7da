export interface Part {
  text: string;
  /** Where on this server it leads. */
  path?: string;
}

/** Cuts a text at the addresses of `origin`; those of other servers stay text. */
export function cutLinks(text: string, origin: string): Part[] {
  return text
    .split(/(https?:\/\/[^\s<>"]*[^\s<>".,;:!?)])/)
    .filter((part) => part !== "")
    .map((part) => (part.startsWith(`${origin}/`) ? { text: part, path: part.slice(origin.length) } : { text: part }));
}
