/** The verdict on one request that somebody asks about, with every step that led to it. Pure. */
import type { Address } from "./address.ts";
import type { EntryId } from "./ids.ts";
import { type Route, routeOf } from "./target.ts";
import type { Policy } from "./tenant.ts";
import { decide, EXEMPT_VERDICT, isExempt, type Outcome, type Reason } from "./verdict.ts";

export interface ExplainedEntry {
  readonly id: EntryId;
  readonly cidr: string;
  readonly label: string;
  readonly expiresAt?: string;
}

export interface ExplainedStep {
  readonly step: "address" | "target" | "exempt" | "location" | "person" | "verdict";
  readonly result: "pass" | "stop" | "skip";
  readonly detail: string;
}

export interface Explanation {
  readonly verdict: "allow" | "deny";
  /** `pages`: the gate's own answer, from any place. `refused`: no door is tried. */
  readonly outcome: Outcome | "pages" | "refused";
  readonly reason: Reason | "own-pages" | "target-invalid";
  /** What the client would get; 200 stands for the upstream's or the page's answer. */
  readonly status: number;
  readonly wouldBlock: boolean;
  readonly entry: ExplainedEntry | null;
  readonly steps: readonly ExplainedStep[];
}

export interface ExplainFacts {
  readonly policy: Policy;
  readonly address: Address;
  /** What the matcher that the edges use found. */
  readonly entry: ExplainedEntry | undefined;
  /** Whether that person holds a live session; `undefined` when nobody was asked about. */
  readonly person?: { readonly id: string; readonly hasSession: boolean; readonly detail: string };
  readonly method: string;
  /** As it would stand in the request line. */
  readonly path?: string;
}

/** Uses `routeOf` and `decide`, as the edges do, so that it cannot tell another story than they. */
export function explain(facts: ExplainFacts): Explanation {
  const { path } = facts;
  const route = path === undefined ? "upstream" : /^[!-~]+$/.test(path) ? routeOf(path) : undefined;
  return route === "upstream" ? explainDoors(facts) : explainTarget(facts, route);
}

/** What the target decides alone, before any door is tried. */
function explainTarget(
  { address, path, entry }: ExplainFacts,
  route: Exclude<Route, "upstream"> | undefined,
): Explanation {
  const pages = route === "pages";
  const detail = pages
    ? `${path} is the gate's own, and answers every place: the way in for those who are blocked`
    : `${path} is no spelling of the gate's own pages, and could be taken for one; or a request line cannot hold it`;
  return {
    verdict: pages ? "allow" : "deny",
    outcome: pages ? "pages" : "refused",
    reason: pages ? "own-pages" : "target-invalid",
    status: pages ? 200 : 400,
    wouldBlock: false,
    entry: entry === undefined ? null : pick(entry),
    steps: [addressStep(address), { step: "target", result: pages ? "pass" : "stop", detail }],
  };
}

function explainDoors(facts: ExplainFacts): Explanation {
  const { policy, entry, path, method } = facts;
  const exempt = path !== undefined && isExempt(policy.exempt, method, path);
  const decided = decide(policy, entry !== undefined, facts.person?.hasSession ?? false);
  const { outcome, reason, wouldBlock } = exempt ? EXEMPT_VERDICT : decided;
  const status = { forward: 200, blocked: 403, "sign-in": 401 }[outcome];
  const verdict = outcome === "forward" ? "allow" : "deny";
  const steps: ExplainedStep[] = [
    addressStep(facts.address),
    exemptStep(exempt, facts),
    locationStep(facts),
    personStep(facts),
    { step: "verdict", result: verdict === "allow" ? "pass" : "stop", detail: verdictDetail(reason, policy) },
  ];
  return { verdict, outcome, reason, status, wouldBlock, entry: entry === undefined ? null : pick(entry), steps };
}

function pick({ id, cidr, label, expiresAt }: ExplainedEntry): ExplainedEntry {
  return { id, cidr, label, ...(expiresAt === undefined ? {} : { expiresAt }) };
}

function addressStep({ text }: Address): ExplainedStep {
  return { step: "address", result: "pass", detail: `the address is ${text}` };
}

function exemptStep(exempt: boolean, { path, method }: ExplainFacts): ExplainedStep {
  if (path === undefined) return { step: "exempt", result: "skip", detail: "no path was asked about" };
  const request = `${method} ${path}`;
  return exempt
    ? { step: "exempt", result: "pass", detail: `${request} is exempt from both doors` }
    : { step: "exempt", result: "skip", detail: `${request} is not exempt` };
}

function locationStep({ policy, entry, address }: ExplainFacts): ExplainedStep {
  const step = "location";
  if (policy.network === "off")
    return { step, result: "skip", detail: "network is off: this tenant has no location door" };
  if (entry !== undefined) {
    const until = entry.expiresAt === undefined ? "" : ` until ${entry.expiresAt}`;
    return {
      step,
      result: "pass",
      detail: `${entry.cidr} "${entry.label}" (${entry.id}) covers ${address.text}${until}`,
    };
  }
  const missing = `no live entry covers ${address.text}`;
  if (policy.network === "observe")
    return { step, result: "pass", detail: `${missing}; network is observe, so that it only counts` };
  return { step, result: "stop", detail: missing };
}

function personStep({ policy, person }: ExplainFacts): ExplainedStep {
  const step = "person";
  if (policy.secondFactor === "off")
    return { step, result: "skip", detail: "secondFactor is off: this tenant has no person door" };
  if (person === undefined)
    return { step, result: "stop", detail: "no user was asked about; without a session the door is shut" };
  return { step, result: person.hasSession ? "pass" : "stop", detail: person.detail };
}

const VERDICTS: Readonly<Record<Reason, string>> = {
  "both-doors": "both doors are open",
  location: "the location is enough",
  person: "the session is enough",
  exempt: "the request is exempt",
  observed: "observed only: enforce would block it",
  open: "neither door is there",
  "not-on-allowlist": "blocked: not on the allowlist",
  "no-session": "a session is needed: a browser is sent to sign in, anything else gets 401",
};

function verdictDetail(reason: Reason, { combine }: Policy): string {
  return `${VERDICTS[reason]} (combine: ${combine})`;
}
