import { problemFrom, unreachable } from "./problem";

type Query = Record<string, string | number | boolean | string[] | undefined>;

interface Options {
  query?: Query;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

export function withQuery(path: string, query: Query = {}): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value === undefined || value === "") continue;
    params.set(key, String(value)); // Lists are written with commas, as the API reads them.
  }
  const text = params.toString();
  return text ? `${path}?${text}` : path;
}

/** One request to the API; rejects with a Problem. */
export async function send<T>(method: string, path: string, { query, body, headers, signal }: Options = {}): Promise<T> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(withQuery(path, query), {
      method,
      signal,
      headers: { Accept: "application/json", ...(body === undefined ? {} : { "Content-Type": "application/json" }), ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    text = await response.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw unreachable(error);
  }
  if (!response.ok) throw problemFrom(response.status, text);
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

export const get = <T>(path: string, options?: Options) => send<T>("GET", path, options);
export const post = <T>(path: string, body: unknown = {}) => send<T>("POST", path, { body });
export const remove = (path: string) => send<undefined>("DELETE", path);
