import { NativeSelect, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconSearch } from "@tabler/icons-react";
import { useEffect, useState, type ReactNode } from "react";
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

/** How long after the last key the URL follows. */
const typingMs = 150;

/** Words to look for, kept in the URL; `/` goes here. */
export function SearchFilter({ label, param = "q" }: { label: string; param?: string }) {
  const [value, setValue] = useParam(param);
  // What is typed runs ahead of the URL; only a value that did not come from here replaces it.
  const [text, setText] = useState(value);
  const [written, setWritten] = useState(value);
  if (value !== written && text === written) {
    setText(value);
    setWritten(value);
  }
  useEffect(() => {
    if (text === written) return;
    const timer = setTimeout(() => {
      setWritten(text);
      setValue(text);
    }, typingMs);
    return () => clearTimeout(timer);
  }, [text, written, setValue]);

  return (
    <TextInput
      size="xs"
      data-search
      aria-label={label}
      placeholder="Search"
      leftSection={<IconSearch size={14} />}
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
    />
  );
}
