/** What supervisor and children say to each other over IPC. An edge is told nothing secret; only control's start carries keys. */
import type { Config, DeclaredTenant, EdgeConfig, LogLevel, Secrets, StalenessConfig } from "../config.ts";
import type { Issue } from "../core/errors.ts";

export interface EdgeStart {
  readonly worker: number;
  readonly edge: EdgeConfig;
  readonly staleness: StalenessConfig;
  /** The folder of control's sockets. */
  readonly socketDir: string;
  readonly logLevel: LogLevel;
}

export interface ControlStart {
  readonly config: Config;
  readonly secrets: Required<Secrets>;
  readonly socketDir: string;
  /** Whether codes may be printed instead of sent. */
  readonly development: boolean;
}

/** Supervisor to child. */
export type Order<Start> =
  | { readonly type: "start"; readonly start: Start }
  | { readonly type: "declare"; readonly tenants: readonly DeclaredTenant[] }
  | { readonly type: "stop"; readonly deadlineMs: number };

/** Child to supervisor. `addresses` are `host:port`. */
export type Report =
  | { readonly type: "listening"; readonly addresses: readonly string[] }
  | { readonly type: "declared" }
  | { readonly type: "failed"; readonly message: string; readonly issues: readonly Issue[] };

/** A part of the gate that runs, in whichever process. */
export interface Running {
  readonly addresses: readonly string[];
  /** Takes nothing new, lets what is in flight end until the deadline, then cuts it. */
  stop(deadlineMs: number): Promise<void>;
}

/** Control, which can take other declared tenants while it runs. */
export interface RunningControl extends Running {
  /** @throws Error when they cannot all be had; then nothing has changed */
  declare(tenants: readonly DeclaredTenant[]): Promise<void>;
}

/** A report as a child may have sent it; `undefined` for anything else, since a child may be in an attacker's hand. */
export function parseReport(message: unknown): Report | undefined {
  if (typeof message !== "object" || message === null || !("type" in message)) return undefined;
  const { type, addresses, message: said, issues } = message as Partial<Record<string, unknown>>;
  if (type === "declared") return { type };
  if (type === "listening" && Array.isArray(addresses)) return { type, addresses: addresses.map(String) };
  if (type !== "failed" || typeof said !== "string") return undefined;
  return { type, message: said, issues: Array.isArray(issues) ? (issues as Issue[]).filter(isIssue) : [] };
}

function isIssue(issue: unknown): boolean {
  return typeof issue === "object" && issue !== null && "at" in issue && "message" in issue;
}
