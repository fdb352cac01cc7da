import styles from "./Sparkline.module.css";
import type { StateTone } from "./tone";

interface Props {
  values: (number | null)[];
  /** What it shows, in words. */
  label: string;
  tone?: StateTone;
  width?: number;
  height?: number;
}

/** A line without axes, from zero to its maximum, for a row of a list. */
export function Sparkline({ values, label, tone, width = 96, height = 22 }: Props) {
  const top = Math.max(...values.map((v) => v ?? 0)) || 1;
  const x = (i: number) => (values.length > 1 ? (i / (values.length - 1)) * width : 0);
  const y = (v: number) => height - 1 - (v / top) * (height - 3);
  let path = "";
  let down = false;
  values.forEach((value, i) => {
    if (value !== null) path += `${down ? "L" : "M"}${x(i).toFixed(1)} ${y(value).toFixed(1)}`;
    down = value !== null;
  });
  return (
    <svg className={styles.spark} data-tone={tone} viewBox={`0 0 ${width} ${height}`} width={width} height={height} role="img" aria-label={label}>
      <path className={styles.base} d={`M0 ${height - 0.5}H${width}`} />
      <path d={path} />
    </svg>
  );
}
