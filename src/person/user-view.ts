/** A user as the API and the portal show one: nothing in it proves anything. */
import type { Tenant } from "../core/tenant.ts";
import type { CredentialRecord, Role, UserRecord } from "./account.ts";
import type { ProofKind } from "./factor.ts";
import type { FailureSummary } from "./throttle.ts";

const NO_FAILURES: FailureSummary = { count: 0, waitUntilMs: 0, lockedUntilMs: 0 };

export interface FactorView {
  readonly id: string;
  readonly kind: ProofKind;
  readonly name: string;
  readonly createdAt: string;
  readonly lastUsedAt?: string;
}

/** Attempts that failed and have not been followed by a sign-in from there; forgotten after two days without another. */
export interface FailuresView {
  readonly count: number;
  /** The first of them. */
  readonly since?: string;
  /** Until when whoever tries like that has to wait. */
  readonly waitUntil?: string;
}

/** Why somebody cannot sign in; stable words. */
export type SignInObstacle =
  /** An owner or the API disabled them. */
  | "disabled"
  /** Too many failures: new browsers and places are kept out for a day, or until it is lifted. */
  | "locked"
  /** Failures led to a wait of seconds, or a minute, for whoever fails like that. */
  | "waiting"
  /** They have not set a password yet: invite them (again). */
  | "no-password"
  /** Nothing they have set up counts under the tenant's policy: reset their factors. */
  | "no-usable-factor"
  /** They have set nothing up and the tenant asks for no password, so that only an invitation or a ticket proves who they are. */
  | "not-enrolled";

export interface UserView {
  readonly id: string;
  readonly email: string;
  readonly name?: string;
  readonly role: Role;
  readonly state: "invited" | "active" | "disabled" | "locked";
  readonly factors: readonly FactorView[];
  readonly signIn: {
    readonly possible: boolean;
    readonly reasons: readonly SignInObstacle[];
    readonly failures?: FailuresView;
  };
  readonly createdAt: string;
  readonly lastSignInAt?: string;
  readonly revision: number;
}

export function describeUser(
  tenant: Tenant,
  account: { id: string; user: UserRecord; credential: CredentialRecord; revision: number },
  failures: FailureSummary = NO_FAILURES,
): UserView {
  const { id, user, credential, revision } = account;
  const reasons = obstacles(tenant, user, credential, failures);
  return {
    id,
    email: user.email,
    ...(user.name === undefined ? {} : { name: user.name }),
    role: user.role,
    state: failures.lockedUntilMs > 0 && user.state !== "disabled" ? "locked" : user.state,
    factors: describeFactors(credential),
    signIn: { possible: reasons.length === 0, reasons, ...describeFailures(failures) },
    createdAt: user.createdAt,
    ...(credential.lastSignInAt === undefined ? {} : { lastSignInAt: credential.lastSignInAt }),
    revision,
  };
}

function describeFailures({ count, sinceMs, waitUntilMs }: FailureSummary): { failures?: FailuresView } {
  if (count === 0) return {};
  const since = sinceMs === undefined ? {} : { since: new Date(sinceMs).toISOString() };
  const waitUntil = waitUntilMs === 0 ? {} : { waitUntil: new Date(waitUntilMs).toISOString() };
  return { failures: { count, ...since, ...waitUntil } };
}

/** The enrolled factors, and the recovery codes as one of them while any are left. */
export function describeFactors(credential: CredentialRecord): FactorView[] {
  const factors: FactorView[] = credential.factors.map(({ id, kind, name, createdAt, lastUsedAt }) => {
    return { id, kind, name, createdAt, ...(lastUsedAt === undefined ? {} : { lastUsedAt }) };
  });
  const recovery = credential.recovery;
  if (recovery === undefined || recovery.hashes.length === 0) return factors;
  const { createdAt, lastUsedAt } = recovery;
  const name = `Recovery codes (${recovery.hashes.length} left)`;
  const used = lastUsedAt === undefined ? {} : { lastUsedAt };
  return [...factors, { id: "recovery", kind: "recovery", name, createdAt, ...used }];
}

function obstacles(
  { policy }: Tenant,
  user: UserRecord,
  credential: CredentialRecord,
  { waitUntilMs, lockedUntilMs }: FailureSummary,
): SignInObstacle[] {
  const { factors, recovery } = credential;
  const reasons: SignInObstacle[] = [];
  if (user.state === "disabled") reasons.push("disabled");
  if (lockedUntilMs > 0) reasons.push("locked");
  else if (waitUntilMs > 0) reasons.push("waiting");
  if (policy.firstFactor === "password" && credential.password === undefined) reasons.push("no-password");
  if (policy.firstFactor === "none" && factors.length === 0) reasons.push("not-enrolled");
  const counts = factors.some((factor) => policy.factors.includes(factor.kind)) || (recovery?.hashes.length ?? 0) > 0;
  if (factors.length > 0 && !counts) reasons.push("no-usable-factor");
  return reasons;
}
