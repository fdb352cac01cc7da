// Which marks of a graph stand apart and which are drawn as one, in pixels.

import type { Band, Marker } from "./annotations";

/** Nothing to hit is narrower than this. */
const smallest = 24;
const charWidth = 6.5;
const markWidth = 20;

export interface Cluster {
  at: number;
  markers: Marker[];
  /** What stands beside the mark, where there is room for it. */
  words: string;
}

/** Markers too near each other to be hit apart are one; each is named as far as the next leaves room. */
export function clusters(markers: Marker[], x: (time: number) => number, width: number): Cluster[] {
  const groups: Cluster[] = [];
  for (const marker of [...markers].sort((a, b) => a.time - b.time)) {
    const at = x(marker.time);
    const last = groups.at(-1);
    if (last && at - last.at < smallest) last.markers.push(marker);
    else groups.push({ at, markers: [marker], words: "" });
  }
  groups.forEach((group, i) => {
    const room = (groups[i + 1]?.at ?? width) - group.at;
    group.words = wordings(group.markers).find((words) => markWidth + words.length * charWidth <= room) ?? "";
  });
  return groups;
}

/** Names for markers drawn as one, the most telling first. */
function wordings(markers: Marker[]): string[] {
  const names = new Set(markers.flatMap((m) => m.name ?? []));
  if (markers.length === 1) return [...names];
  const count = [`${markers.length} changes`, String(markers.length)];
  return names.size === markers.length ? [[...names].join(", "), ...count] : count;
}

/** Incidents of no service in particular: those that began within a time (Unix seconds), marked where they did. */
export const startsIn = (bands: Band[], from: number, to: number): Band[] =>
  bands.filter((b) => b.from >= from && b.from <= to).map((b) => ({ ...b, to: b.from, startOnly: true }));

export interface Stretch {
  left: number;
  right: number;
  bands: Band[];
}

/** Bands as wide as a finger needs and within the graph; those that then touch are one. */
export function stretches(bands: Stretch[], width: number): Stretch[] {
  const result: Stretch[] = [];
  for (const { left: start, right: end, bands: own } of [...bands].sort((a, b) => a.left - b.left)) {
    const left = Math.max(0, Math.min(start, width - smallest));
    const right = Math.max(end, left + smallest);
    const last = result.at(-1);
    if (last && left < last.right) {
      last.right = Math.max(last.right, right);
      last.bands.push(...own);
    } else result.push({ left, right, bands: [...own] });
  }
  return result;
}
