/** The gate as requests meet it: what throws denies, and a session that is not known here is looked up first. */
import type { Logger } from "../core/log.ts";
import type { ClientRequest } from "./client-message.ts";
import type { Connection } from "./connection.ts";
import type { Exchange } from "./exchange.ts";
import { type Gate, SessionQuestion } from "./gate.ts";
import { Refusal } from "./refusals.ts";
import type { CachedSession, SessionDirectory } from "./sessions.ts";

export class Judge {
  readonly #gate: Gate;
  readonly #sessions: SessionDirectory;
  readonly #log: Logger;

  constructor(gate: Gate, sessions: SessionDirectory, log: Logger) {
    this.#gate = gate;
    this.#sessions = sessions;
    this.#log = log;
  }

  /** As {@link Gate.judge}; never throws. */
  judge(
    req: ClientRequest,
    connection: Connection,
    answer?: CachedSession | "unanswered",
  ): Exchange | Refusal | SessionQuestion {
    try {
      return this.#gate.judge(req, connection, answer);
    } catch (error) {
      this.#log.error({ err: error }, "the gate could not decide");
      return new Refusal("internal");
    }
  }

  /** Looks a session up, then judges the request anew: meanwhile everything may have changed. */
  async ask(
    { tenant, hash }: SessionQuestion,
    req: ClientRequest,
    connection: Connection,
    proceed: (passage: Exchange | Refusal) => void,
  ): Promise<void> {
    const answer = await this.#sessions.ask(tenant.id, hash).catch((error: unknown) => {
      this.#log.warn({ err: error }, "a session could not be looked up");
      return "unanswered" as const;
    });
    if (connection.socket.destroyed) return;
    const passage = this.judge(req, connection, answer);
    this.guarded(connection, () =>
      proceed(passage instanceof SessionQuestion ? new Refusal("session_unknown", tenant) : passage),
    );
  }

  guarded(connection: Connection, answer: () => void): void {
    try {
      answer();
    } catch (error) {
      this.failed(connection, error);
    }
  }

  /** Whatever throws while a request is answered costs that request's connection and nobody else's. */
  failed({ socket }: Connection, error: unknown): void {
    this.#log.error({ err: error }, "a request could not be answered");
    socket.destroy();
  }
}
