/** Load by wrk: requests a second, latency percentiles and errors of one run. */
import { execFile } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface LoadRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** `Cookie` fields that take turns. */
  readonly cookies?: readonly string[];
  /** Sent with every request. */
  readonly bodyBytes?: number;
  readonly connections: number;
  readonly seconds: number;
  readonly newConnectionPerRequest?: boolean;
  /** How long a connection waits after each answer, on average; without it the next request follows at once. */
  readonly thinkMs?: number;
  /** Where wrk runs, as `taskset` takes it; anywhere without. */
  readonly processors?: string;
}

export interface LoadResult {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  /** Socket errors and answers other than 2xx and 3xx: anything but 0 makes the run worthless. */
  readonly errors: number;
}

const REPORT = `
done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format("RESULT %d %d %.1f %.1f %.1f %d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
`;

const folder = mkdtempSync(join(tmpdir(), "sallyport-bench-"));
let scripts = 0;

/** @throws when wrk is absent or prints what is not understood */
export async function load(request: LoadRequest): Promise<LoadResult> {
  scripts += 1;
  const script = join(folder, `${scripts}.lua`);
  writeFileSync(script, luaScript(request));
  const args = ["-t", "1", "-c", `${request.connections}`, "-d", `${request.seconds}s`, "-s", script, request.url];
  const [program = "", ...before] =
    request.processors === undefined ? ["wrk"] : ["taskset", "-c", request.processors, "wrk"];
  const { stdout } = await run(program, [...before, ...args], { maxBuffer: 1 << 20 });
  const found = /RESULT (\d+) (\d+) ([\d.]+) ([\d.]+) ([\d.]+) (\d+)/.exec(stdout);
  if (found === null) throw new Error(`wrk printed no result:\n${stdout}`);
  const [requests = 0, durationUs = 1, p50 = 0, p99 = 0, p999 = 0, errors = 0] = found.slice(1).map(Number);
  return {
    requests,
    perSecond: requests / (durationUs / 1e6),
    p50Ms: p50 / 1000,
    p99Ms: p99 / 1000,
    p999Ms: p999 / 1000,
    errors,
  };
}

function luaScript(request: LoadRequest): string {
  const headers = { ...request.headers, ...(request.newConnectionPerRequest === true ? { Connection: "close" } : {}) };
  const lines = Object.entries(headers).map(([name, value]) => `wrk.headers[${lua(name)}] = ${lua(value)}`);
  const [first, ...others] = request.cookies ?? [];
  if (first !== undefined) lines.push(`wrk.headers["Cookie"] = ${lua(first)}`);
  if (others.length > 0) lines.push(takingTurns([first ?? "", ...others]));
  lines.push(`wrk.method = ${lua(request.method)}`);
  if (request.thinkMs !== undefined) lines.push(`delay = function() return math.random(0, ${2 * request.thinkMs}) end`);
  if (request.bodyBytes !== undefined) lines.push(`wrk.body = string.rep("x", ${request.bodyBytes})`);
  return `${lines.join("\n")}\n${REPORT}`;
}

/** wrk sends one prepared request again and again unless it is given a function, which here only picks one. */
function takingTurns(cookies: readonly string[]): string {
  return `local cookies = {${cookies.map(lua).join(",")}}
local prepared, turn = {}, 0
init = function(args)
  for index, cookie in ipairs(cookies) do
    wrk.headers["Cookie"] = cookie
    prepared[index] = wrk.format()
  end
end
request = function()
  turn = turn % #prepared + 1
  return prepared[turn]
end`;
}

function lua(text: string): string {
  return JSON.stringify(text);
}
