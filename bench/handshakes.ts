/** Load by Node: TLS 1.3, a connection for each request, its session resumed or not. */
import { connect, type TLSSocket } from "node:tls";
import { HOST } from "./job.ts";
import type { LoadResult } from "./load.ts";
import { percentile } from "./table.ts";

export interface HandshakeLoad {
  readonly port: number;
  readonly path: string;
  readonly cookie: string | undefined;
  readonly connections: number;
  readonly seconds: number;
  readonly resume: boolean;
}

/** @throws when a session that was to be resumed was not */
export async function loadHandshakes(wanted: HandshakeLoad): Promise<LoadResult> {
  const startedAtMs = performance.now();
  const untilMs = startedAtMs + wanted.seconds * 1000;
  const took: number[] = [];
  let errors = 0;
  const client = async (): Promise<void> => {
    let session: Buffer | undefined;
    while (performance.now() < untilMs) {
      const beganAtMs = performance.now();
      const answer = await ask(wanted, session);
      if (!answer.ok) errors += 1;
      if (session !== undefined && !answer.resumed) throw new Error("a session was not resumed");
      if (wanted.resume) session = answer.session;
      took.push(performance.now() - beganAtMs);
    }
  };
  await Promise.all(Array.from({ length: wanted.connections }, client));
  return summariseTimes(took, errors, performance.now() - startedAtMs);
}

/** The same figures as wrk's, from the times that each request took. */
export function summariseTimes(took: number[], errors: number, elapsedMs: number): LoadResult {
  took.sort((one, other) => one - other);
  return {
    requests: took.length,
    perSecond: (took.length / elapsedMs) * 1000,
    p50Ms: percentile(took, 0.5),
    p99Ms: percentile(took, 0.99),
    p999Ms: percentile(took, 0.999),
    errors,
  };
}

interface Answer {
  readonly ok: boolean;
  readonly resumed: boolean;
  readonly session: Buffer | undefined;
}

function ask({ port, path, cookie }: HandshakeLoad, session: Buffer | undefined): Promise<Answer> {
  return new Promise((resolve) => {
    let received = "";
    let next: Buffer | undefined;
    let resumed = false;
    const socket: TLSSocket = connect({
      ...{ host: "127.0.0.1", port, servername: HOST, minVersion: "TLSv1.3", rejectUnauthorized: false },
      ...(session === undefined ? {} : { session }),
    });
    socket.once("secureConnect", () => {
      resumed = socket.isSessionReused();
      const cookieLine = cookie === undefined ? "" : `Cookie: ${cookie}\r\n`;
      socket.write(`GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\n${cookieLine}Connection: close\r\n\r\n`);
    });
    socket.on("session", (given: Buffer) => {
      next = given;
    });
    socket.setEncoding("latin1").on("data", (piece: string) => {
      received += piece;
    });
    socket.on("error", () => {});
    socket.once("close", () => resolve({ ok: received.startsWith("HTTP/1.1 200"), resumed, session: next }));
  });
}
