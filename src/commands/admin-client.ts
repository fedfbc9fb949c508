/** The commands' way to the admin API: where it is, which key opens it, and its errors as ours. */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { readVariable } from "../config/environment.ts";
import { ADMIN_KEY_FILE } from "../config/key-files.ts";
import { formatEndpoint } from "../config/units.ts";
import { type Config, loadConfig } from "../config.ts";
import { ERROR_CODES, type ErrorCode, type Issue, SallyportError } from "../core/errors.ts";
import type { Call, Options } from "./command.ts";

const TIMEOUT_MS = 30_000;
const PAGE = 500;

/** Taken by every command that speaks to the admin API. A key itself is never an argument: others could list it. */
export const CLIENT_OPTIONS: Options = {
  url: { type: "string", value: "URL", help: "admin API (default SALLYPORT_ADMIN_URL, or as configured)" },
  "key-file": {
    type: "string",
    value: "FILE",
    help: "file that holds the key (default SALLYPORT_ADMIN_KEY, or the data folder's)",
  },
};

/** Taken by changes that the lock-out guard may refuse. */
export const FORCE: Options = { force: { type: "boolean", help: "even if it leaves no owner a way in" } };

export function forceOf(call: Call): { force: string | undefined } {
  return { force: call.flag("force") ? "true" : undefined };
}

export interface Request {
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  /** A body that is not JSON. */
  readonly text?: { readonly type: string; readonly content: string };
}

export class AdminClient {
  readonly #url: string;
  readonly #key: string | undefined;

  constructor(url: string, key: string | undefined) {
    this.#url = url.replace(/\/+$/, "");
    this.#key = key;
  }

  /** From flags, then the environment, then the configuration. @throws SallyportError `config_invalid` */
  static of(call: Call): AdminClient {
    return new AdminClient(urlOf(call), keyOf(call));
  }

  /** For what needs no key. */
  static anonymous(call: Call): AdminClient {
    return new AdminClient(urlOf(call), undefined);
  }

  /** The JSON answer; `undefined` for none. @throws SallyportError with the API's own code, message and issues */
  async json(method: string, path: string, request: Request = {}): Promise<unknown> {
    const text = await this.text(method, path, request);
    return text === "" ? undefined : JSON.parse(text);
  }

  async text(method: string, path: string, request: Request = {}): Promise<string> {
    return await (await this.#fetch(method, path, request, AbortSignal.timeout(TIMEOUT_MS))).text();
  }

  /** The lines of an answer that may be longer than memory. Gives up when nothing comes for a while. */
  async *lines(path: string, query: Request["query"] = {}): AsyncGenerator<string> {
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), TIMEOUT_MS);
    try {
      const { body } = await this.#fetch("GET", path, { query }, patience.signal);
      let rest = "";
      for await (const text of body?.pipeThrough(new TextDecoderStream()) ?? []) {
        timer.refresh();
        const lines = (rest + text).split("\n");
        rest = lines.pop() ?? "";
        yield* lines;
      }
      if (rest !== "") throw new RangeError("the last line has no end");
    } catch (cause) {
      if (cause instanceof SallyportError) throw cause;
      throw new SallyportError("not_ready", `the answer of the admin API at ${this.#url} broke off`, { cause });
    } finally {
      clearTimeout(timer);
    }
  }

  async #fetch(method: string, path: string, request: Request, signal: AbortSignal): Promise<Response> {
    const { query = {}, body, text } = request;
    const url = new URL(`${this.#url}${path}`);
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
    const headers: Record<string, string> = {};
    if (this.#key !== undefined) headers["authorization"] = `Bearer ${this.#key}`;
    if (body !== undefined) headers["content-type"] = "application/json";
    if (text !== undefined) headers["content-type"] = text.type;
    const content = body === undefined ? text?.content : JSON.stringify(body);
    const response = await fetch(url, {
      method,
      headers,
      redirect: "error",
      signal,
      ...(content !== undefined && { body: content }),
    }).catch((cause: unknown) => {
      throw new SallyportError("not_ready", `the admin API at ${this.#url} does not answer; is sallyport running?`, {
        cause,
      });
    });
    if (!response.ok) throw problemOf(response.status, await response.text());
    return response;
  }

  /** All pages of a list. */
  async *items(path: string, query: Request["query"] = {}): AsyncGenerator<Readonly<Record<string, unknown>>> {
    let cursor: string | undefined;
    do {
      const page = (await this.json("GET", path, { query: { ...query, limit: String(PAGE), cursor } })) as Page;
      yield* page.items;
      cursor = page.next;
    } while (cursor !== undefined);
  }
}

interface Page {
  readonly items: readonly Readonly<Record<string, unknown>>[];
  readonly next?: string;
}

/** `/v1/tenants/{tenant}` and below, each part escaped. */
export function tenantPath(tenant: string, ...rest: readonly string[]): string {
  return ["/v1/tenants", ...[tenant, ...rest].map(encodeURIComponent)].join("/");
}

function configOf(call: Call): Config {
  return loadConfig({ file: call.text("config"), env: call.env, base: call.base }).config;
}

function urlOf(call: Call): string {
  const given = call.text("url") ?? (call.env["SALLYPORT_ADMIN_URL"] || undefined);
  if (given !== undefined) return checkedUrl(given);
  const { admin } = configOf(call);
  const host = admin.host === "0.0.0.0" ? "127.0.0.1" : admin.host === "::" ? "::1" : admin.host;
  return `${admin.tls === undefined ? "http" : "https"}://${formatEndpoint({ host, port: admin.port })}`;
}

function checkedUrl(text: string): string {
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol)) return text;
  throw new SallyportError("config_invalid", `"${text}" is not an http or https URL`);
}

function keyOf(call: Call): string {
  const file = call.text("key-file");
  if (file !== undefined) return readKey(resolve(call.base, file));
  const issues: Issue[] = [];
  const given = readVariable(call.env, "SALLYPORT_ADMIN_KEY", issues);
  if (issues.length > 0) throw new SallyportError("config_invalid", "the admin key cannot be read", { issues });
  return given ?? readKey(join(configOf(call).dataDir, ADMIN_KEY_FILE));
}

function readKey(file: string): string {
  if (existsSync(file)) return readFileSync(file, "utf8").trim();
  throw new SallyportError(
    "unauthorized",
    `there is no key: ${file} is not there; give --key-file or SALLYPORT_ADMIN_KEY`,
  );
}

/** RFC 9457 problem details as the error that they were. */
function problemOf(status: number, answer: string): SallyportError {
  const problem = parseProblem(answer);
  const code = ERROR_CODES.find((known) => known === problem["code"]) ?? codeOf(status);
  const message = problem["detail"] ?? problem["title"] ?? `the admin API answered ${status}`;
  const issues = Array.isArray(problem["issues"]) ? (problem["issues"] as WireIssue[]).map(issueOf) : [];
  return new SallyportError(code, inFlags(String(message)), { issues });
}

interface WireIssue {
  readonly pointer?: string;
  readonly line?: number;
  readonly message: string;
  readonly hint?: string;
}

function issueOf({ pointer, line, message, hint }: WireIssue): Issue {
  const at = pointer ?? `line ${line}`;
  return { at, message, ...(hint === undefined ? {} : { hint: inFlags(hint) }) };
}

/** The API's parameters, where it says to repeat a request with one, as the flags that send them. */
function inFlags(text: string): string {
  return text.replace(/\bforce=true\b/g, "--force").replace(/"?allowBroad"?(?:=|: )true/g, "--allow-broad");
}

function parseProblem(answer: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(answer);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function codeOf(status: number): ErrorCode {
  if (status === 401) return "unauthorized";
  if (status === 403) return "forbidden";
  return status === 404 ? "not_found" : "internal";
}
