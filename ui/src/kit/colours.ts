/**
 * Colours of series. None is a state's colour at full strength, neighbours differ in
 * hue and lightness, and each stands out by 3:1 from both backgrounds.
 */
export const palette = {
  light: ["#3b5bdb", "#0b7d8a", "#b3541e", "#8b3fa0", "#4d7c0f", "#c2387f", "#1f6fb5", "#8a6a00", "#0f766e", "#6d4bd0", "#a3443f", "#52606d"],
  dark: ["#8aa2ff", "#35c3d1", "#f0985c", "#cf8fe3", "#a3cf4f", "#f783b5", "#5fb4f5", "#d9b73a", "#3ec9b4", "#ab94ff", "#ee9089", "#a6b2be"],
};

const size = palette.light.length;

function hash(text: string): number {
  let h = 2166136261;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 16777619);
  return (h ^ (h >>> 15)) >>> 0;
}

/**
 * The palette index of each label. A label prefers the same colour on every graph; only
 * where two on one graph prefer the same does the later one (in order of name) move on.
 */
export function colourIndexes(labels: string[]): Map<string, number> {
  const taken = new Set<number>();
  const indexes = new Map<string, number>();
  for (const label of [...new Set(labels)].sort()) {
    let index = hash(label) % size;
    for (let tries = 0; taken.has(index) && tries < size; tries++) index = (index + 1) % size;
    taken.add(index);
    indexes.set(label, index);
  }
  return indexes;
}

export function seriesColours(labels: string[], scheme: "light" | "dark"): string[] {
  const indexes = colourIndexes(labels);
  return labels.map((label) => palette[scheme][indexes.get(label) ?? 0] ?? "currentColor");
}
