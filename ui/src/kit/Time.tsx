import { Tooltip } from "@mantine/core";
import { formatAgo, formatClock, formatDuration, formatInstant, zoneName } from "./format";
import { useNow } from "./useNow";
import { useTimeRange } from "./useTimeRange";

/** A time relative to now, the absolute one on hover. */
export function Ago({ time }: { time: string }) {
  const now = useNow();
  return <Instant time={time} text={formatAgo(time, now)} />;
}

/** The time of day, the whole instant on hover. */
export function Clock({ time, withZone = false }: { time: string; withZone?: boolean }) {
  const { zone } = useTimeRange();
  const clock = formatClock(time, zone);
  return <Instant time={time} text={withZone ? `${clock} ${zoneName(zone, Date.parse(time))}` : clock} />;
}

/** How long something took, or takes until now. */
export function Elapsed({ from, to }: { from: string; to?: string }) {
  const now = useNow(to ? 3_600_000 : 1_000);
  const seconds = ((to ? Date.parse(to) : now) - Date.parse(from)) / 1000;
  return <span>{formatDuration(Math.max(0, seconds < 60 && !to ? Math.floor(seconds) : seconds))}</span>;
}

function Instant({ time, text }: { time: string; text: string }) {
  const { zone } = useTimeRange();
  const other = zone === "utc" ? "local" : "utc";
  return (
    <Tooltip
      label={
        <>
          {formatInstant(time, zone)}
          <br />
          {formatInstant(time, other)}
        </>
      }
    >
      <time dateTime={time} style={{ whiteSpace: "nowrap" }}>
        {text}
      </time>
    </Tooltip>
  );
}
