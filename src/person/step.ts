/** What the sign-in pages are told: where a challenge stands, which proofs it offers, and how a step came out. */
import type { Account } from "./account.ts";
import type { Challenge, ChallengeRecord, Stage } from "./challenge.ts";
import type { SignedIn } from "./completion.ts";
import { type ProofKind, usableFactors } from "./factor.ts";
import { maskNumber } from "./sms-factor.ts";
import type { Visit } from "./visit.ts";

/** One way to prove oneself that the page offers. */
export interface Choice {
  readonly kind: ProofKind;
  /** Names one phone number among several; its end is in `hint`. */
  readonly factor?: string;
  readonly hint?: string;
}

/** What the page shows next. */
export interface Step {
  /** For the page's address. */
  readonly challenge: string;
  readonly stage: Stage;
  /** At `factor`: the last used kind first. Empty: nothing that this person has counts here; an owner must reset. */
  readonly choices: readonly Choice[];
  /** The e-mail under way, as typed by this browser. */
  readonly email?: string;
}

/** `refused` says nothing of what was wrong. `gone`: expired, used up, or of another browser; begin again. */
export type Outcome =
  | { readonly kind: "refused" }
  | { readonly kind: "gone" }
  | { readonly kind: "throttled"; readonly retryAfterMs: number }
  | { readonly kind: "continue"; readonly step: Step }
  | SignedIn;

export function stepOf(challenge: Challenge, choices: readonly Choice[] = []): Step {
  const { stage, email } = challenge.record;
  return { challenge: challenge.id, stage, choices, ...(email === undefined ? {} : { email }) };
}

/** Before anything is proven, what the tenant accepts; afterwards, what this person has and may use here. */
export function choicesFor(
  visit: Visit,
  record: ChallengeRecord,
  account: Account | undefined,
  smsAvailable: boolean,
): Choice[] {
  const { policy } = visit.tenant;
  const kinds = [...new Set(policy.factors)].filter((kind) => kind !== "sms" || smsAvailable);
  if (record.stage !== "factor") return [];
  if (record.epoch === 0) return [...kinds.map((kind) => ({ kind })), { kind: "recovery" }];
  if (account === undefined) return [];
  const usable = usableFactors(policy, account.credential.factors, visit.host);
  const choices = kinds.flatMap((kind): Choice[] => {
    const own = usable.filter((factor) => factor.kind === kind);
    if (kind !== "sms") return own.length > 0 ? [{ kind }] : [];
    return own.flatMap((factor) =>
      factor.kind === "sms" ? [{ kind, factor: factor.id, hint: maskNumber(factor.number) }] : [],
    );
  });
  const last = account.credential.lastFactor;
  choices.sort((one, other) => Number(other.kind === last) - Number(one.kind === last));
  const left = account.credential.recovery?.hashes.length ?? 0;
  return left > 0 ? [...choices, { kind: "recovery" }] : choices;
}
