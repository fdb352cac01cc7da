import { Skeleton } from "@mantine/core";
import type { ReactNode } from "react";
import { ErrorNote } from "./ErrorNote";
import styles from "./Loaded.module.css";
import { PageTitle } from "./PageTitle";

interface QueryLike<T> {
  data: T | undefined;
  error: unknown;
  refetch: () => unknown;
}

interface Props<T> {
  query: QueryLike<T>;
  children: (data: T) => ReactNode;
  /** What stands in for the data until it comes; by default `rows` grey lines. */
  skeleton?: ReactNode;
  rows?: number;
  /** What the page would show, where it is the data that brings the page's title: its heading if there is none. */
  page?: string;
}

/** A query's data when it is there; until then a skeleton (not before 200 ms), or the error in its place. */
export function Loaded<T>({ query, children, skeleton, rows = 4, page }: Props<T>) {
  if (query.data !== undefined) {
    return (
      <>
        {query.error !== null && <ErrorNote error={query.error} retry={() => void query.refetch()} />}
        {children(query.data)}
      </>
    );
  }
  if (query.error !== null) {
    return (
      <>
        {page && <PageTitle title={page} />}
        <ErrorNote error={query.error} retry={() => void query.refetch()} />
      </>
    );
  }
  return skeleton ?? <Waiting rows={rows} />;
}

export function Waiting({ rows = 4 }: { rows?: number }) {
  return (
    <div className={styles.waiting} role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, i) => (
        <Skeleton key={i} height={14} width={`${92 - ((i * 17) % 40)}%`} />
      ))}
    </div>
  );
}
