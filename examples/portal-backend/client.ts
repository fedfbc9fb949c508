/** A client of the admin API whose requests and answers the compiler checks. */
import type { AuditRecord, Operations, Problem } from "./sallyport-api.d.ts";

type Request<Name extends keyof Operations> = Omit<Operations[Name], "answer"> & {
  /** Repeating a request with the same key changes nothing and gets the same answer, for 24 hours. */
  readonly idempotencyKey?: string;
};

/** A refusal, with the stable code that a program may act upon. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(`${problem.code}: ${problem.detail ?? problem.title}`);
    this.problem = problem;
  }
}

export interface ApiEvent {
  /** For `Last-Event-ID`. */
  readonly id: string;
  /** The audit record's action, or `resync`: some records are no longer kept. */
  readonly action: string;
  readonly record: AuditRecord;
}

export class SallyportApi {
  readonly #origin: string;
  readonly #key: string;

  constructor(origin: string, key: string) {
    this.#origin = origin;
    this.#key = key;
  }

  /** @throws ApiError */
  async call<Name extends keyof Operations>(name: Name, request: Request<Name>): Promise<Operations[Name]["answer"]> {
    const {
      params = {},
      query = {},
      body,
      idempotencyKey,
    } = request as {
      params?: Record<string, string>;
      query?: Record<string, string | number | boolean>;
      body?: unknown;
      idempotencyKey?: string;
    };
    const [method = "GET", pattern = ""] = name.split(" ");
    const path = pattern.replace(/\{(\w+)\}/g, (_, param: string) => encodeURIComponent(params[param] ?? ""));
    const url = new URL(path, this.#origin);
    for (const [field, value] of Object.entries(query)) url.searchParams.set(field, String(value));
    const response = await fetch(url, {
      method,
      headers: {
        authorization: `Bearer ${this.#key}`,
        ...(body !== undefined && { "content-type": "application/json" }),
        ...(idempotencyKey !== undefined && { "idempotency-key": idempotencyKey }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new ApiError((await response.json()) as Problem);
    return (response.status === 204 ? undefined : await response.json()) as Operations[Name]["answer"];
  }

  /** Events of a tenant, from after `lastId` on; connects again by itself and misses none. @throws ApiError */
  async *events(tenant: string, lastId: string): AsyncGenerator<ApiEvent> {
    let position = lastId;
    for (;;) {
      try {
        for await (const { id, event } of this.#stream(tenant, position)) {
          position = id;
          if (event !== undefined) yield event;
        }
      } catch (error) {
        // A refusal stays one; a connection that broke is made again.
        if (error instanceof ApiError) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  }

  async *#stream(tenant: string, lastId: string) {
    const response = await fetch(new URL(`/v1/events?tenant=${encodeURIComponent(tenant)}`, this.#origin), {
      headers: { authorization: `Bearer ${this.#key}`, "last-event-id": lastId },
    });
    if (!response.ok || response.body === null) throw new ApiError((await response.json()) as Problem);
    let buffered = "";
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      const blocks = (buffered + chunk).split("\n\n");
      buffered = blocks.pop() ?? "";
      for (const block of blocks) {
        const message = readEvent(block);
        if (message !== undefined) yield message;
      }
    }
  }
}

/** One server-sent event; an id without data says where the stream stands. */
function readEvent(block: string): { id: string; event?: ApiEvent } | undefined {
  const fields = new Map(
    block.split("\n").map((line): [string, string] => {
      const [name = "", ...value] = line.split(": ");
      return [name, value.join(": ")];
    }),
  );
  const [id, action, data] = [fields.get("id"), fields.get("event"), fields.get("data")];
  if (id === undefined) return undefined;
  if (action === undefined || data === undefined) return { id };
  return { id, event: { id, action, record: JSON.parse(data) as AuditRecord } };
}
