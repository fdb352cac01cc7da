import { NativeSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { servicesQuery } from "@/api/services";
import styles from "./Filters.module.css";
import { useParam } from "./useParam";

/** The filters of a list, in one row. */
export function Filters({ children }: { children: ReactNode }) {
  return (
    <div className={styles.filters} role="group" aria-label="Filters">
      {children}
    </div>
  );
}

interface ChoiceProps {
  label: string;
  /** The URL parameter that holds the choice. */
  param: string;
  options: (string | { value: string; label: string })[];
  fallback?: string;
}

/** One of a few values, kept in the URL. */
export function ChoiceFilter({ label, param, options, fallback = "" }: ChoiceProps) {
  const [value, setValue] = useParam(param, fallback);
  return (
    <NativeSelect
      size="xs"
      aria-label={label}
      value={value}
      onChange={(event) => setValue(event.currentTarget.value)}
      data={options}
    />
  );
}

/** The service of a list, kept in the URL as `service`. */
export function ServiceFilter() {
  const [value] = useParam("service");
  const { data } = useQuery(servicesQuery);
  const names = new Set(data?.items.map((s) => s.name));
  if (value) names.add(value);
  const options = [{ value: "", label: "All services" }, ...[...names].sort()];
  return <ChoiceFilter label="Service" param="service" options={options} />;
}
