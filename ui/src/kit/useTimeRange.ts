import { useQuery } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";
import { useLocation, useNavigate, useSearchParams } from "react-router";
import { infoQuery } from "@/api/session";
import {
  carryTime,
  drawnRange,
  isRelative,
  readTimeState,
  timeText,
  writeTimeState,
  type TimeRange,
  type TimeState,
  type Zone,
} from "./timeRange";

/** The time range in the URL, and the ways to change it. */
export function useTimeRange() {
  const [params, setParams] = useSearchParams();
  const navigate = useNavigate();
  const location = useLocation();
  const search = params.toString();
  const state = useMemo(() => readTimeState(new URLSearchParams(search)), [search]);

  const update = useCallback(
    (change: Partial<TimeState>, zoomed = false) =>
      setParams((before) => writeTimeState(before, { ...readTimeState(before), ...change }), {
        state: zoomed ? { zoomed: true } : null,
        preventScrollReset: true,
      }),
    [setParams],
  );

  const { data: samplesSince } = useQuery({ ...infoQuery, select: (info) => info.samplesSince });
  const since = samplesSince === undefined ? undefined : Date.parse(samplesSince);

  const zoomed = (location.state as { zoomed?: boolean } | null)?.zoomed === true;

  return {
    range: state.range,
    zone: state.zone,
    pausedAt: state.pausedAt,
    /** Where samples begin, in Unix milliseconds. */
    since,
    /** Whether the range moves with the clock. */
    live: isRelative(state.range) && state.pausedAt === undefined,
    /** The range's instants, with `now` frozen while paused. */
    instants: useCallback(
      () => drawnRange(state.range, state.pausedAt ? Date.parse(state.pausedAt) : Date.now(), since),
      [state, since],
    ),
    setRange: (range: TimeRange) => update({ range, pausedAt: undefined }),
    setZone: (zone: Zone) => update({ zone }),
    setPaused: (paused: boolean) => update({ pausedAt: paused ? new Date().toISOString() : undefined }),
    zoom: (from: number, to: number) => update({ range: { from: timeText(from), to: timeText(to) } }, true),
    zoomed,
    unzoom: () => void navigate(-1),
  };
}

/** Adds the current time range to a path, so that it travels from page to page. */
export function useCarryTime(): (path: string) => string {
  const [params] = useSearchParams();
  return useCallback((path: string) => carryTime(path, params), [params]);
}
