import { Button, Menu, SegmentedControl } from "@mantine/core";
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { IconDownload, IconPlayerPause, IconPlayerPlay } from "@tabler/icons-react";
import { useCallback, useMemo } from "react";
import { useSearchParams } from "react-router";
import { exportPath, followPath, linesQuery, type Asked, type SavedSearch } from "@/api/logs";
import { EmptyState } from "@/kit/EmptyState";
import { ErrorNote } from "@/kit/ErrorNote";
import { Filters, ServiceFilter } from "@/kit/Filters";
import { formatCount, formatDuration, plural } from "@/kit/format";
import { Waiting } from "@/kit/Loaded";
import { PageTitle } from "@/kit/PageTitle";
import { useHeld } from "@/kit/useHeld";
import { useParam } from "@/kit/useParam";
import { useTimeRange } from "@/kit/useTimeRange";
import { hintOf, narrowed } from "./clause";
import { FieldList } from "./FieldList";
import { Histogram } from "./Histogram";
import { Lines } from "./Lines";
import { isFaultOfQuery, QueryFault } from "./QueryFault";
import { Patterns } from "./Patterns";
import { QueryBox } from "./QueryBox";
import { Searches } from "./Searches";
import { useFollowed } from "./useFollowed";
import styles from "./Logs.module.css";

/** What services wrote: found by a query, over time, by field, line by line. The link holds it all. */
export function LogsPage() {
  const [, setParams] = useSearchParams();
  const [q, setQ] = useParam("q");
  const [language, setLanguage] = useParam("language", "kql");
  const [service] = useParam("service");
  const [view, setView] = useParam("view", "lines");
  const [cols, setCols] = useParam("columns");
  const [tail, setTail] = useParam("tail");
  const { range, pausedAt } = useTimeRange();
  const live = tail === "on";
  const asked: Asked = useMemo(
    () => ({ q, language, from: range.from, to: range.to === "now" && pausedAt ? pausedAt : range.to, service: service || undefined }),
    [q, language, range, pausedAt, service],
  );
  const columns = useMemo(() => cols.split(",").filter(Boolean), [cols]);
  const toggleColumn = (field: string) => setCols((columns.includes(field) ? columns.filter((c) => c !== field) : [...columns, field]).join(","));
  const client = useQueryClient();
  // The same question again asks for what has come since.
  const ask = (query: string) => (query === q ? void client.resetQueries({ queryKey: ["logs"], type: "active" }) : setQ(query));
  const narrow = useCallback((field: string, value: unknown, include: boolean) => setQ(narrowed(language, q, field, value, include)), [language, q, setQ]);
  const openSearch = (s: SavedSearch) =>
    setParams((before) => {
      const next = new URLSearchParams(before);
      for (const [name, value] of Object.entries({ q: s.query, language: s.language === "kql" ? "" : s.language, service: s.service ?? "", columns: s.columns.join(",") })) {
        if (value) next.set(name, value);
        else next.delete(name);
      }
      return next;
    });
  const showPhrase = (phrase: string) =>
    setParams((before) => {
      const next = new URLSearchParams(before);
      const one = language === "lucene" ? `message:"${phrase}"` : `message: "${phrase}"`;
      next.set("q", q.trim() === "" ? one : `(${q.trim()}) ${language === "lucene" ? "AND" : "and"} ${one}`);
      next.delete("view");
      return next;
    });

  return (
    <>
      <PageTitle title="Logs" actions={<Searches asked={asked} columns={columns} onOpen={openSearch} />} />
      <Filters>
        <QueryBox asked={asked} onAsk={ask} />
        <SegmentedControl
          size="xs"
          aria-label="Query language"
          value={language}
          onChange={setLanguage}
          data={[
            { value: "kql", label: "KQL" },
            { value: "lucene", label: "Lucene" },
          ]}
        />
        <ServiceFilter />
      </Filters>
      <QueryFault asked={asked} />
      <Histogram asked={asked} live={live} />
      <div className={styles.bar2}>
        <SegmentedControl
          size="xs"
          aria-label="View"
          value={view}
          onChange={setView}
          data={[
            { value: "lines", label: "Lines" },
            { value: "patterns", label: "Patterns" },
          ]}
        />
        {view === "lines" && (
          <Button
            size="xs"
            variant={live ? "filled" : "default"}
            leftSection={live ? <IconPlayerPause size={14} /> : <IconPlayerPlay size={14} />}
            aria-pressed={live}
            onClick={() => setTail(live ? "" : "on")}
          >
            {live ? "Stop following" : "Follow live"}
          </Button>
        )}
        <Menu withinPortal>
          <Menu.Target>
            <Button variant="default" leftSection={<IconDownload size={14} />}>
              Export
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item component="a" href={exportPath(asked, "csv", columns.length > 0 ? [...columns, "message"] : [])} download>
              CSV of the columns
            </Menu.Item>
            <Menu.Item component="a" href={exportPath(asked, "ndjson", [])} download>
              NDJSON of everything
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </div>
      {view === "patterns" ? (
        <Patterns asked={asked} onPhrase={showPhrase} />
      ) : (
        <div className={styles.split}>
          <FieldList asked={asked} columns={columns} onColumn={toggleColumn} onNarrow={narrow} />
          {live ? <Live key={followPath(asked)} asked={asked} columns={columns} onNarrow={narrow} /> : <Found asked={asked} columns={columns} onNarrow={narrow} />}
        </div>
      )}
    </>
  );
}

interface ResultProps {
  asked: Asked;
  columns: string[];
  onNarrow: (field: string, value: unknown, include: boolean) => void;
}

function Found({ asked, columns, onNarrow }: ResultProps) {
  const query = useInfiniteQuery(linesQuery(asked));
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.rows) ?? [], [query.data]);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  if (isFaultOfQuery(query.error)) return null; // it stands below the query
  if (query.error) return <ErrorNote error={query.error} retry={() => void query.refetch()} />;
  const first = query.data?.pages[0];
  if (!first) return <Waiting rows={10} />;
  if (rows.length === 0) return <Nothing asked={asked} />;
  return (
    <div className={styles.result}>
      <p className={styles.dim}>
        {plural(rows.length, "line")} loaded
        {first.cost.rows > 0 && ` · looked at ${formatCount(first.cost.rows)} lines`} · in {formatDuration(first.cost.millis / 1000)}
        {first.warnings?.map((w) => ` · ${w}`)}
      </p>
      <Lines rows={rows} columns={columns} words={first.words} onNarrow={onNarrow} onMore={more} loading={isFetchingNextPage} />
    </div>
  );
}

/** Lines as they come. None of them moves under a reader who points at one or has scrolled to it. */
function Live({ asked, columns, onNarrow }: ResultProps) {
  const { rows, dropped, error } = useFollowed(followPath(asked));
  const { shown, waiting, hold, release, holder } = useHeld(rows, (row) => row.id);
  return (
    <div className={styles.result} {...holder}>
      <p className={styles.dim} role="status">
        Following: {plural(rows.length, "line")} since you began{dropped > 0 ? ` · ${plural(dropped, "line")} passed over, they come too fast` : ""}
        {waiting > 0 && (
          <Button variant="default" size="compact-xs" ml="xs" onClick={release}>
            {plural(waiting, "new line")}
          </Button>
        )}
      </p>
      {error && <ErrorNote error={error} />}
      <Lines rows={shown} columns={columns} words={[]} onNarrow={onNarrow} onNewest={(there) => (there ? release() : hold())} />
    </div>
  );
}

function Nothing({ asked }: { asked: Asked }) {
  const { setRange } = useTimeRange();
  const [, setLanguage] = useParam("language", "kql");
  const hint = asked.language === "kql" ? hintOf(asked.q) : undefined;
  return (
    <EmptyState
      title={asked.q || asked.service ? "No line matches in this time range" : "No logs in this time range"}
      snippet={asked.q ? undefined : `echo '{"message": "hello", "level": "info", "service": "checkout"}' |
  curl --data-binary @- ${window.location.origin}/ingest/lines`}
      action={
        hint === "lucene" ? (
          <Button variant="default" onClick={() => setLanguage("lucene")} style={{ alignSelf: "flex-start" }}>
            Read it as Lucene
          </Button>
        ) : (
        <Button variant="default" onClick={() => setRange({ from: "now-7d", to: "now" })} style={{ alignSelf: "flex-start" }}>
          Look at the last 7 days
        </Button>
        )
      }
    >
      {asked.q
        ? (hint === "lucene" && "This looks like Lucene syntax, which KQL takes for text. KQL writes not field: value, field >= 400 and field: *.") ||
          (hint === "quotes" && "KQL takes what stands before a colon for a field. Put an address in quotes.") ||
          "Take a condition away, or look at more time."
        : "What workloads write comes by itself. Shippers of Elasticsearch write to /elasticsearch; a line by hand:"}
    </EmptyState>
  );
}
