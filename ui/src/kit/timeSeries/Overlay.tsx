import { Tooltip } from "@mantine/core";
import { formatClock } from "../format";
import { Link } from "../Link";
import { StateMark } from "../StateBadge";
import { worst } from "../tone";
import type { Zone } from "../timeRange";
import type { Annotations, Marker } from "./annotations";
import styles from "./Overlay.module.css";
import type { PlotBox } from "./Plot";

interface Props extends Annotations {
  box: PlotBox;
  from: number;
  to: number;
  zone: Zone;
}

/** Changes and incidents over a plot, as elements one can point at and follow. */
export function Overlay({ markers, bands, box, from, to, zone }: Props) {
  const x = (time: number) => Math.max(0, Math.min(1, (time - from) / (to - from))) * box.width;
  const visible = bands.filter((b) => b.from < to && b.to > from);
  return (
    <div className={styles.overlay} style={box}>
      {visible.map((band) => {
        const left = x(band.from);
        return (
          <div key={band.link} className={styles.band} style={{ left, width: Math.max(2, x(Math.min(band.to, to)) - left) }}>
            <Tooltip label={band.title}>
              <Link to={band.link} className={styles.bandTop} aria-label={band.title} />
            </Tooltip>
          </div>
        );
      })}
      {clusters(markers.filter((m) => m.time >= from && m.time <= to), x).map((group) => (
        <Flag key={`${group.at} ${group.markers[0]?.title ?? ""}`} at={group.at} markers={group.markers} zone={zone} />
      ))}
    </div>
  );
}

function Flag({ at, markers, zone }: { at: number; markers: Marker[]; zone: Zone }) {
  const words = markers.map((m) => `${formatClock(m.time * 1000, zone)} ${m.title}`);
  const first = markers[0];
  const label = markers.length > 1 ? `${markers.length} changes: ${words.join(", ")}` : words.join(", ");
  const mark = (
    <>
      <StateMark tone={worst(markers.map((m) => m.tone))} size={10} />
      {markers.length > 1 && <span>{markers.length}</span>}
    </>
  );
  return (
    <div className={styles.marker} style={{ left: at }}>
      <Tooltip label={words.map((w) => <div key={w}>{w}</div>)}>
        {first?.to ? (
          <Link to={markers.length > 1 ? "/changes" : first.to} className={styles.flag} aria-label={label}>
            {mark}
          </Link>
        ) : (
          <span className={styles.flag} role="img" aria-label={label}>
            {mark}
          </span>
        )}
      </Tooltip>
    </div>
  );
}

/** Markers closer than this many pixels are drawn as one. */
const near = 24;

export function clusters(markers: Marker[], x: (time: number) => number): { at: number; markers: Marker[] }[] {
  const groups: { at: number; markers: Marker[] }[] = [];
  for (const marker of [...markers].sort((a, b) => a.time - b.time)) {
    const at = x(marker.time);
    const last = groups.at(-1);
    if (last && at - last.at < near) last.markers.push(marker);
    else groups.push({ at, markers: [marker] });
  }
  return groups;
}
