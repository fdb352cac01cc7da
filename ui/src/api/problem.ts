/** What the server (or the way to it) answered instead of a result: RFC 9457 with a mend. */
export class Problem extends Error {
  override name = "Problem";
  constructor(
    message: string,
    readonly status: number,
    readonly code: string,
    readonly mend?: string,
    readonly field?: string,
    readonly requestId?: string,
    /** Where in the field, in characters from 1. */
    readonly column?: number,
  ) {
    super(message);
  }

  /** Whether the same request may succeed later without anybody changing anything. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 502;
  }

  /** Whether somebody else changed, meanwhile, what the request was to replace. */
  get overtaken(): boolean {
    return this.code === "conflict" && this.field === "If-Match";
  }
}

interface Body {
  title?: string;
  detail?: string;
  code?: string;
  mend?: string;
  field?: string;
  column?: number;
  requestId?: string;
  errors?: { message?: string; location?: string }[];
  error?: string; // Prometheus API
  errorType?: string;
}

/** Reads a refused response's body: problem+json, Prometheus's error shape, or anything else. */
export function problemFrom(status: number, answered: unknown): Problem {
  // Not JSON is a proxy's page or plain text: the status says enough.
  const body: Body = typeof answered === "object" && answered !== null ? answered : {};
  const first = body.errors?.[0];
  const detail = first?.message ? `${first.message}${first.location ? ` (${first.location})` : ""}` : undefined;
  return new Problem(
    body.detail ?? body.error ?? detail ?? body.title ?? `The server answered ${status}.`,
    status,
    body.code ?? body.errorType ?? "internal",
    body.mend,
    body.field,
    body.requestId,
    body.column,
  );
}

export function unreachable(cause: unknown): Problem {
  const problem = new Problem(
    "The server cannot be reached.",
    0,
    "unavailable",
    "Check that daytwo runs and that this machine reaches it; this page goes on by itself.",
  );
  problem.cause = cause;
  return problem;
}

export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem(error instanceof Error ? error.message : String(error), 0, "internal");
}
