export interface DiffLine {
  kind: "same" | "added" | "removed";
  text: string;
  /** Line numbers from 1, on the side where the line is. */
  before?: number;
  after?: number;
}

/** The lines of two texts, with the fewest added and removed (longest common subsequence). */
export function diffLines(before: string, after: string): DiffLine[] {
  const a = before.split("\n");
  const b = after.split("\n");
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;

  const rows = a.length - head - tail;
  const columns = b.length - head - tail;
  // common[i][j]: lines in common of a from i and b from j.
  const width = columns + 1;
  const common = new Uint32Array((rows + 1) * width);
  for (let i = rows - 1; i >= 0; i--) {
    for (let j = columns - 1; j >= 0; j--) {
      common[i * width + j] =
        a[head + i] === b[head + j]
          ? (common[(i + 1) * width + j + 1] ?? 0) + 1
          : Math.max(common[(i + 1) * width + j] ?? 0, common[i * width + j + 1] ?? 0);
    }
  }

  const lines: DiffLine[] = [];
  const same = (i: number, j: number) => lines.push({ kind: "same", text: a[i] ?? "", before: i + 1, after: j + 1 });
  for (let i = 0; i < head; i++) same(i, i);
  let i = 0;
  let j = 0;
  while (i < rows || j < columns) {
    if (i < rows && j < columns && a[head + i] === b[head + j]) same(head + i++, head + j++);
    else if (i < rows && (j >= columns || (common[(i + 1) * width + j] ?? 0) >= (common[i * width + j + 1] ?? 0))) {
      lines.push({ kind: "removed", text: a[head + i] ?? "", before: head + ++i });
    } else lines.push({ kind: "added", text: b[head + j] ?? "", after: head + ++j });
  }
  for (let k = tail; k > 0; k--) same(a.length - k, b.length - k);
  return lines;
}

export type DiffPart = DiffLine | { kind: "gap"; count: number };

/** Leaves out unchanged lines further than `context` from a change. */
export function foldSame(lines: DiffLine[], context = 3): DiffPart[] {
  const near = new Set<number>();
  lines.forEach((line, index) => {
    if (line.kind === "same") return;
    for (let i = index - context; i <= index + context; i++) near.add(i);
  });
  const parts: DiffPart[] = [];
  lines.forEach((line, index) => {
    const last = parts.at(-1);
    if (near.has(index)) parts.push(line);
    else if (last?.kind === "gap") last.count++;
    else parts.push({ kind: "gap", count: 1 });
  });
  return parts;
}
