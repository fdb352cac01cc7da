import { ActionIcon, Button, Popover, SegmentedControl, TextInput, Tooltip, UnstyledButton } from "@mantine/core";
import { IconChevronDown, IconClock, IconPlayerPause, IconPlayerPlay } from "@tabler/icons-react";
import { useState, type SyntheticEvent } from "react";
import { formatDay, formatMinute, formatMoment, zoneName } from "@/kit/format";
import { isRelative, parseTime, presets, resolveRange, rangeProblem, timeText, type TimeRange, type Zone } from "@/kit/timeRange";
import { useTimeRange } from "@/kit/useTimeRange";
import styles from "./TimeControl.module.css";

/** The time range of every page: presets, absolute times, zone, and whether it moves. */
export function TimeControl() {
  const time = useTimeRange();
  const [open, setOpen] = useState(false);
  const label = rangeLabel(time.range, time.zone);
  const zone = zoneName(time.zone, time.instants().to);
  const choose = (range: TimeRange) => {
    time.setRange(range);
    setOpen(false);
  };

  return (
    <div className={styles.control}>
      <Popover opened={open} onChange={setOpen} position="bottom-end" shadow="md" trapFocus>
        <Popover.Target>
          <Button
            className={styles.button}
            variant="default"
            leftSection={<IconClock size={14} />}
            rightSection={<IconChevronDown size={14} />}
            onClick={() => setOpen(!open)}
            aria-label={`Time range: ${label} ${zone}`}
          >
            {label} <span className={styles.zone}>{zone}</span>
          </Button>
        </Popover.Target>
        <Popover.Dropdown p={0}>
          <div className={styles.panel}>
            <div className={styles.presets}>
              {presets.map((preset) => (
                <UnstyledButton
                  key={preset.from}
                  className={styles.preset}
                  aria-current={time.range.from === preset.from && time.range.to === "now" ? "true" : undefined}
                  onClick={() => choose({ from: preset.from, to: "now" })}
                >
                  {preset.label}
                </UnstyledButton>
              ))}
            </div>
            <div className={styles.absolute}>
              <AbsoluteForm key={`${time.range.from} ${time.range.to} ${time.zone}`} range={time.range} zone={time.zone} onApply={choose} />
              <SegmentedControl
                size="xs"
                aria-label="Time zone"
                value={time.zone}
                onChange={(zone) => time.setZone(zone)}
                data={[
                  { value: "local", label: `Local, ${zoneName("local", time.instants().to)}` },
                  { value: "utc", label: "UTC" },
                ]}
              />
            </div>
          </div>
        </Popover.Dropdown>
      </Popover>
      <LiveButton time={time} />
    </div>
  );
}

function LiveButton({ time }: { time: ReturnType<typeof useTimeRange> }) {
  const words = time.live ? "Live: pause" : time.pausedAt ? "Paused: resume" : "Fixed time: go live";
  return (
    <Tooltip label={words}>
      <ActionIcon
        variant="default"
        size={30}
        aria-label={words}
        data-live={time.live || undefined}
        onClick={() => (time.live ? time.setPaused(true) : time.pausedAt ? time.setPaused(false) : time.setRange({ from: "now-1h", to: "now" }))}
      >
        {time.live ? <IconPlayerPause size={14} /> : <IconPlayerPlay size={14} />}
      </ActionIcon>
    </Tooltip>
  );
}

interface FormProps {
  range: TimeRange;
  zone: Zone;
  onApply: (range: TimeRange) => void;
}

function AbsoluteForm({ range, zone, onApply }: FormProps) {
  const [from, setFrom] = useState(() => typed(range.from, zone));
  const [to, setTo] = useState(() => typed(range.to, zone));
  const [problem, setProblem] = useState<string>();

  const apply = (event: SyntheticEvent) => {
    event.preventDefault();
    const wanted = { from: untyped(from, zone), to: untyped(to, zone) };
    const wrong = rangeProblem(wanted, Date.now());
    setProblem(wrong);
    if (!wrong) onApply(wanted);
  };

  return (
    <form onSubmit={apply} className={styles.form}>
      <TextInput label="From" size="xs" value={from} onChange={(e) => setFrom(e.target.value)} />
      <TextInput label="To" size="xs" value={to} onChange={(e) => setTo(e.target.value)} error={problem} />
      <Button type="submit">Apply</Button>
    </form>
  );
}

/** An instant as typed: relative text stays, an absolute one is shown in the zone. */
function typed(text: string, zone: Zone): string {
  if (text.trim().startsWith("now")) return text;
  const at = parseTime(text, 0);
  if (at === undefined) return text;
  const shifted = zone === "utc" ? at : at - new Date(at).getTimezoneOffset() * 60_000;
  return new Date(shifted).toISOString().slice(0, 19).replace("T", " ");
}

function untyped(text: string, zone: Zone): string {
  const trimmed = text.trim();
  if (!/^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?)?$/.test(trimmed)) return trimmed;
  const iso = trimmed.length === 10 ? `${trimmed}T00:00` : trimmed.replace(" ", "T");
  const at = Date.parse(zone === "utc" ? `${iso}Z` : iso);
  return Number.isNaN(at) ? trimmed : timeText(at);
}

function rangeLabel(range: TimeRange, zone: Zone): string {
  if (range.to === "now" && range.from.startsWith("now-")) {
    return presets.find((p) => p.from === range.from)?.label ?? `Last ${range.from.slice(4)}`;
  }
  const { from, to } = resolveRange(range, Date.now());
  if (range.from.startsWith("now")) return `${range.from} – ${range.to}`;
  const [start, end] = [formatDay(from, zone), formatDay(to, zone)];
  const today = start === formatDay(Date.now(), zone);
  const first = today ? formatMinute(from, zone) : formatMoment(from, zone);
  if (isRelative(range)) return `${first} – ${range.to}`;
  return `${first} – ${start === end ? formatMinute(to, zone) : formatMoment(to, zone)}`;
}
