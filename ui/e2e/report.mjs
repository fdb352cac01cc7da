// Counts and prints checks. A story goes on after a failed check as far as it can: the reader wants to know all that is broken.

let passed = 0;
let failed = 0;

export async function check(name, body) {
  const start = Date.now();
  try {
    const result = await body();
    passed++;
    console.log(`✓ ${name} (${seconds(start)})`);
    return result;
  } catch (error) {
    failed++;
    const text = error instanceof Error ? error.message : String(error);
    console.log(`✗ ${name} (${seconds(start)})\n    ${text.replaceAll("\n", "\n    ")}`);
    return undefined;
  }
}

/** A check without which the rest makes no sense. */
export async function must(name, body) {
  const before = failed;
  const result = await check(name, body);
  if (failed > before) throw new Error(`without “${name}” the story cannot go on`);
  return result;
}

export function equal(got, want, what) {
  if (got !== want) throw new Error(`${what}: got ${JSON.stringify(got)}, want ${JSON.stringify(want)}`);
}

export function ok(condition, what) {
  if (!condition) throw new Error(what);
}

/** Prints the result and returns the exit code. */
export function finish(start) {
  console.log(`in ${seconds(start)}`);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

const seconds = (start) => `${((Date.now() - start) / 1000).toFixed(1)} s`;
