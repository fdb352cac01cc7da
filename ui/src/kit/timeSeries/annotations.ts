import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { incidentsQuery } from "@/api/incidents";
import { fetchTimeline } from "@/api/timeline";
import type { Tone } from "@/api/types";
import { refPath } from "../paths";
import { timeText } from "../timeRange";
import { useTimeRange } from "../useTimeRange";

/** Something that happened at an instant, drawn on a time axis. Times in Unix seconds. */
export interface Marker {
  time: number;
  tone: Tone;
  title: string;
  /** In a word or two: the version deployed. */
  name?: string;
  to?: string;
}

/** Something that lasted. */
export interface Band {
  from: number;
  to: number;
  title: string;
  link: string;
  /** Only its start is marked: it lies behind what is drawn of others. */
  startOnly?: boolean;
}

export interface Annotations {
  markers: Marker[];
  bands: Band[];
}

/** Changes and incidents (of a service, or all) to draw on the graphs of the page. */
export function useAnnotations(service?: string): Annotations {
  const { range, pausedAt, live, instants } = useTimeRange();
  const changes = useQuery({
    queryKey: ["timeline", "marks", service, range, pausedAt],
    queryFn: ({ signal }) => {
      const { from, to } = instants();
      return fetchTimeline({ service, kind: "change", limit: 200, from: timeText(from), to: live ? undefined : timeText(to) }, signal);
    },
    placeholderData: keepPreviousData,
  });
  const incidents = useQuery(incidentsQuery({ service, limit: 100 }));
  return {
    markers: (changes.data?.items ?? []).map((e) => ({
      time: Date.parse(e.time) / 1000,
      tone: e.tone,
      title: e.title,
      name: (["deploy", "rollback"].includes(e.action) && e.data?.version) || e.action,
      to: e.ref && refPath(e.ref),
    })),
    bands: (incidents.data?.items ?? []).map((i) => ({
      from: Date.parse(i.openedAt) / 1000,
      to: i.resolvedAt ? Date.parse(i.resolvedAt) / 1000 : Infinity,
      title: `Incident #${i.number} ${i.title}`,
      link: `/incidents/${i.id}`,
    })),
  };
}
