// Times of day as people write them in a time zone, and the instants they mean.

const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: string): Intl.DateTimeFormat {
  let f = formats.get(zone);
  if (!f) {
    f = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    });
    formats.set(zone, f);
  }
  return f;
}

export function isZone(zone: string): boolean {
  try {
    return zone !== "" && format(zone).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

/** The zone's clock at an instant, as milliseconds of a clock that knows no zones. */
function clock(at: number, zone: string): number {
  const parts = Object.fromEntries(format(zone).formatToParts(at).map((p) => [p.type, Number(p.value)]));
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** What a clock in the zone shows at an instant: 2026-01-05T09:00, as fields for date and time have it. */
export function wallOf(instant: string | number, zone: string): string {
  return new Date(clock(new Date(instant).getTime(), zone)).toISOString().slice(0, 16);
}

/**
 * The instant at which a clock in the zone shows `wall`: the first, where it comes twice; where the zone skips it, as much after the gap as
 * it lies in it. Undefined if `wall` is no time.
 */
export function instantOf(wall: string, zone: string): string | undefined {
  const shown = Date.parse(`${wall}Z`);
  if (Number.isNaN(shown) || !isZone(zone)) return undefined;
  const day = 86_400_000;
  const offsets = [shown - day, shown + day].map((at) => clock(at, zone) - at);
  const candidates = offsets.map((offset) => shown - offset);
  const right = candidates.filter((at) => clock(at, zone) === shown);
  return new Date(right.length > 0 ? Math.min(...right) : Math.max(...candidates)).toISOString();
}

/** The zones that the browser knows. */
export const zones = (): string[] => ["UTC", ...Intl.supportedValuesOf("timeZone").filter((z) => z !== "UTC")];
