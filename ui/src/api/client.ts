import createClient from "openapi-fetch";
import { problemFrom, unreachable } from "./problem";
import type { paths } from "./schema";

/** A query as text: what is unset or empty is left out, lists are written with commas as the API reads them. */
export function queryText(query: object): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query) as [string, string | number | string[] | null | undefined][]) {
    if (value === undefined || value === null || value === "") continue;
    params.set(key, String(value));
  }
  return params.toString();
}

/** Requests as the API's own document describes them; give their promise to `answer`. */
export const api = createClient<paths>({ querySerializer: queryText });

/** Filters as they stand in the URL: any text; the server refuses what it does not know. */
export type Loose<T> = { [K in keyof NonNullable<T>]?: NonNullable<T>[K] | string };

type Body<R> = R extends { data: infer T; error?: never } ? T : never;

/** The body of a response; rejects with a Problem. */
export async function answer<R extends { data?: unknown; error?: unknown; response: Response }>(request: Promise<R>): Promise<Body<R>> {
  const { data, error, response } = await request.catch((cause: unknown) => {
    throw isAbort(cause) ? cause : unreachable(cause);
  });
  if (!response.ok) throw problemFrom(response.status, error);
  return data as Body<R>;
}

/** One of the doors, which speak the protocol of another tool and stand in no document of ours. */
export async function getDoor<T>(path: string, query: object, signal: AbortSignal): Promise<T> {
  try {
    const response = await fetch(`${path}?${queryText(query)}`, { signal });
    const text = await response.text();
    if (!response.ok) throw problemFrom(response.status, parsed(text));
    return JSON.parse(text) as T;
  } catch (cause) {
    throw cause instanceof TypeError ? unreachable(cause) : cause;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const isAbort = (cause: unknown) => cause instanceof DOMException && cause.name === "AbortError";
