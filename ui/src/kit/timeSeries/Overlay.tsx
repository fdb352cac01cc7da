import { Tooltip } from "@mantine/core";
import type { CSSProperties } from "react";
import { formatClock } from "../format";
import { Link } from "../Link";
import { StateMark } from "../StateBadge";
import { worst } from "../tone";
import type { Zone } from "../timeRange";
import type { Annotations } from "./annotations";
import { clusters, stretches, type Cluster, type Stretch } from "./marks";
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
  const visible = bands
    .filter((b) => b.from < to && b.to >= from)
    .map((band): Stretch => ({ left: x(band.from), right: Math.max(x(band.from) + 2, x(Math.min(band.to, to))), bands: [band] }));
  return (
    <div className={styles.overlay} style={{ left: box.left, top: box.top, width: box.width, height: box.height }}>
      {visible.map(({ left, right, bands: [band] }) => (
        <div key={band?.link} className={styles.band} data-start={band?.startOnly} style={{ left, width: right - left }} />
      ))}
      {stretches(visible, box.width).map((stretch) => (
        <Foot key={stretch.bands[0]?.link} {...stretch} />
      ))}
      {clusters(markers.filter((m) => m.time >= from && m.time <= to), x, box.width).map((cluster) => (
        <Flag key={`${cluster.at} ${cluster.markers[0]?.title ?? ""}`} {...cluster} zone={zone} />
      ))}
    </div>
  );
}

/** The foot of one band or of several that lie too near each other to be hit apart. */
function Foot({ left, right, bands }: Stretch) {
  const titles = bands.map((band) => band.title);
  const label = titles.length > 1 ? `${titles.length} incidents: ${titles.join(", ")}` : titles.join();
  return (
    <Tooltip label={titles.map((title) => <div key={title}>{title}</div>)}>
      <Link
        to={bands.length > 1 ? "/incidents" : (bands[0]?.link ?? "/incidents")}
        className={styles.foot}
        style={{ left, width: right - left }}
        data-start={bands[0]?.startOnly}
        aria-label={label}
      >
        {bands[0]?.startOnly && <StateMark tone="critical" size={10} />}
      </Link>
    </Tooltip>
  );
}

function Flag({ at, markers, words, zone }: Cluster & { zone: Zone }) {
  const titles = markers.map((m) => `${formatClock(m.time * 1000, zone)} ${m.title}`);
  const first = markers[0];
  const all = markers.length > 1 ? `${markers.length} changes: ${titles.join(", ")}` : titles.join();
  const label = all.includes(words) ? all : `${words}: ${all}`; // what is read is also what is heard
  const mark = (
    <>
      <StateMark tone={worst(markers.map((m) => m.tone))} size={10} />
      {words && <span>{words}</span>}
    </>
  );
  return (
    <div className={styles.marker} style={{ left: at, "--flag": `${Math.max(-12, -at)}px` } as CSSProperties}>
      <Tooltip label={titles.map((title) => <div key={title}>{title}</div>)}>
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
