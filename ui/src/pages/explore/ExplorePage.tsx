import { Button, Checkbox, NativeSelect, SegmentedControl } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { IconLink, IconPlus } from "@tabler/icons-react";
import { useQueries } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useSearchParams } from "react-router";
import { exemplarsQuery } from "@/api/prometheus";
import { EmptyState } from "@/kit/EmptyState";
import { Filters } from "@/kit/Filters";
import { plural, type Unit } from "@/kit/format";
import { PageTitle } from "@/kit/PageTitle";
import { StateMark } from "@/kit/StateBadge";
import { timeText, writeTimeState, readTimeState } from "@/kit/timeRange";
import { useAnnotations } from "@/kit/timeSeries/annotations";
import { startsIn } from "@/kit/timeSeries/marks";
import { QueryGraph } from "@/kit/timeSeries/QueryGraph";
import { useParam } from "@/kit/useParam";
import { useTimeRange } from "@/kit/useTimeRange";
import styles from "./Explore.module.css";
import { Explain } from "./Explain";
import { History } from "./History";
import { remember } from "./history";
import { InstantTable } from "./InstantTable";
import { QueryRow } from "./QueryRow";
import { guessUnit, units } from "./unit";

const examples = ["up", "sum by (service) (rate(http_server_requests_total[1m]))", "process_resident_memory_bytes"];
const maxQueries = 8;
const letter = (index: number) => String.fromCharCode(65 + index);

/** Ask the metrics anything: PromQL in, graph and table out; the link holds it all. */
export function ExplorePage() {
  const [params, setParams] = useSearchParams();
  const [unit, setUnit] = useParam("unit");
  const [view, setView] = useParam("view", "graph");
  const asked = useMemo(() => params.getAll("q").filter((q) => q.trim() !== ""), [params]);
  const [drafts, setDrafts] = useState<string[]>(asked.length > 0 ? asked : [""]);

  // Going back or following a link brings other queries: they replace the drafts.
  const [shown, setShown] = useState(asked.join("\n"));
  if (asked.join("\n") !== shown) {
    setShown(asked.join("\n"));
    setDrafts(asked.length > 0 ? asked : [""]);
  }

  const ask = (exprs: string[]) => {
    const wanted = exprs.map((e) => e.trim()).filter(Boolean);
    remember(wanted);
    setShown(wanted.join("\n"));
    setParams((before) => {
      const next = new URLSearchParams(before);
      next.delete("q");
      wanted.forEach((q) => next.append("q", q));
      return next;
    });
  };
  const edit = (index: number, text: string) => setDrafts((all) => all.with(index, text));
  const drop = (index: number) => {
    const rest = drafts.filter((_, i) => i !== index);
    setDrafts(rest.length > 0 ? rest : [""]);
    ask(rest);
  };
  const use = (expr: string) => {
    const next = drafts.at(-1)?.trim() === "" ? drafts.with(-1, expr) : [...drafts, expr].slice(0, maxQueries);
    setDrafts(next);
    ask(next);
  };

  const drawn: Unit = units.find((u) => u.value === unit)?.value ?? guessUnit(asked[0] ?? "");
  return (
    <>
      <PageTitle title="Explore" actions={<ShareLink />} />
      {drafts.map((draft, i) => (
        <QueryRow
          // A row is its place: its text changes while it is typed.
          key={i}
          letter={letter(i)}
          draft={draft}
          asked={asked[i]}
          onChange={(text) => edit(i, text)}
          onRun={() => ask(drafts)}
          onRemove={drafts.length > 1 || draft !== "" ? () => drop(i) : undefined}
        />
      ))}
      <Filters>
        <Button onClick={() => ask(drafts)}>Run</Button>
        <Button variant="default" leftSection={<IconPlus size={14} />} disabled={drafts.length >= maxQueries} onClick={() => setDrafts([...drafts, ""])}>
          Add query
        </Button>
        <History onUse={use} />
        <SegmentedControl
          size="xs"
          aria-label="View"
          value={view}
          onChange={setView}
          data={[
            { value: "graph", label: "Graph" },
            { value: "table", label: "Table" },
            { value: "explain", label: "Explain" },
          ]}
        />
        {view === "graph" && (
          <NativeSelect
            size="xs"
            aria-label="Unit"
            value={unit}
            onChange={(e) => setUnit(e.target.value)}
            data={[{ value: "", label: `Unit: ${units.find((u) => u.value === drawn)?.label.toLowerCase() ?? ""}` }, ...units]}
          />
        )}
      </Filters>
      {asked.length === 0 && (
        <EmptyState
          title="Ask the metrics"
          action={
            <div>
              {examples.map((example) => (
                <Button key={example} variant="subtle" justify="start" fullWidth onClick={() => use(example)}>
                  <code>{example}</code>
                </Button>
              ))}
            </div>
          }
        >
          Write PromQL; metric names, labels and values complete as you type. Enter runs it. For example:
        </EmptyState>
      )}
      {asked.length > 0 && <View view={view} exprs={asked} unit={drawn} />}
    </>
  );
}

function View({ view, exprs, unit }: { view: string; exprs: string[]; unit: Unit }) {
  switch (view) {
    case "table":
      return <InstantTable exprs={exprs} />;
    case "explain":
      return <Explain exprs={exprs} />;
    default:
      return <Graph exprs={exprs} unit={unit} />;
  }
}

function Graph({ exprs, unit }: { exprs: string[]; unit: Unit }) {
  const { markers, bands } = useAnnotations();
  const queries = useMemo(() => exprs.map((expr, i) => ({ expr, label: exprs.length > 1 ? letter(i) : undefined })), [exprs]);
  const [show, setShow] = useParam("exemplars", "on");
  const [incidents, setIncidents] = useParam("incidents", "on");
  const { range, pausedAt, live, instants } = useTimeRange();
  const { from, to } = instants();
  const starts = startsIn(bands, from / 1000, to / 1000);
  const exemplars = useQueries({
    queries: exprs.map((expr) => exemplarsQuery({ expr, range, pausedAt, live })),
    combine: (all) => all.flatMap((one) => one.data ?? []),
  });
  const aside = (
    <div className={styles.marks}>
      {starts.length > 0 && (
        <Checkbox
          size="xs"
          label={
            <span className={styles.key} title="Marked where they began">
              <StateMark tone="critical" /> {plural(starts.length, "incident")}
            </span>
          }
          checked={incidents === "on"}
          onChange={(e) => setIncidents(e.currentTarget.checked ? "on" : "off")}
        />
      )}
      {exemplars.length > 0 && (
        <Checkbox size="xs" label={plural(exemplars.length, "exemplar")} checked={show === "on"} onChange={(e) => setShow(e.currentTarget.checked ? "on" : "off")} />
      )}
    </div>
  );
  return (
    <QueryGraph
      title={exprs.length > 1 ? `${exprs.length} queries` : "Result"}
      unit={unit}
      queries={queries}
      annotations={{ markers, bands: incidents === "on" ? starts : [] }}
      exemplars={show === "on" ? exemplars : undefined}
      aside={aside}
      height={360}
      errorsElsewhere
    />
  );
}

/** Copies a link to what is on screen: the same queries, at the same instants. */
function ShareLink() {
  const [params] = useSearchParams();
  const { instants } = useTimeRange();
  const clipboard = useClipboard();
  const link = () => {
    const { from, to } = instants();
    const fixed = writeTimeState(params, { ...readTimeState(params), range: { from: timeText(from), to: timeText(to) }, pausedAt: undefined });
    return `${window.location.origin}${window.location.pathname}?${fixed.toString()}`;
  };
  return (
    <Button variant="default" leftSection={<IconLink size={14} />} onClick={() => clipboard.copy(link())}>
      {clipboard.copied ? "Copied" : "Copy link"}
    </Button>
  );
}
