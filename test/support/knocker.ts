/** A client that knocks without pause on keep-alive connections and remembers when it was last let in. */
import { Agent, request } from "node:http";
import type { Test } from "tap";

export interface KnockerOptions {
  readonly host: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Kept open; with several edge processes enough to reach each of them. */
  readonly connections: number;
}

export class Knocker {
  readonly #edge: string;
  readonly #options: KnockerOptions;
  readonly #agents: Agent[];
  #stopped = false;
  /** `performance.now()` of the latest request that was sent and let in. */
  lastAdmittedAtMs = 0;
  lastDeniedAtMs = 0;
  readonly statuses = new Map<number, number>();
  /** The longest wait for an answer, in milliseconds. */
  longestMs = 0;
  /** Requests that got no answer. */
  failures = 0;
  #running: Promise<void>[] = [];

  constructor(t: Test, edge: string, options: KnockerOptions) {
    this.#edge = edge;
    this.#options = options;
    this.#agents = Array.from({ length: options.connections }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
    t.teardown(() => this.stop());
  }

  start(): void {
    this.#running = this.#agents.map((agent) => this.#run(agent));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
    for (const agent of this.#agents) agent.destroy();
  }

  get answers(): number {
    return [...this.statuses.values()].reduce((total, count) => total + count, 0);
  }

  /** Resolves after this many more answers. */
  async more(answers: number): Promise<void> {
    const wanted = this.answers + answers;
    while (this.answers < wanted && !this.#stopped) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  async #run(agent: Agent): Promise<void> {
    while (!this.#stopped) {
      const sentAtMs = performance.now();
      try {
        const status = await this.#knock(agent);
        this.longestMs = Math.max(this.longestMs, performance.now() - sentAtMs);
        this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
        if (status === 200) this.lastAdmittedAtMs = Math.max(this.lastAdmittedAtMs, sentAtMs);
        else this.lastDeniedAtMs = Math.max(this.lastDeniedAtMs, sentAtMs);
      } catch {
        this.failures += 1;
      }
    }
  }

  #knock(agent: Agent): Promise<number> {
    return new Promise((resolve, reject) => {
      const headers = { host: this.#options.host, ...this.#options.headers };
      request(this.#edge, { agent, headers }, (response) => {
        response.resume().once("end", () => resolve(response.statusCode ?? 0));
        response.once("error", reject);
      })
        .once("error", reject)
        .end();
    });
  }
}
