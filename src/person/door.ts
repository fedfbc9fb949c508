/** The person door, put together: the one thing that control makes of this room. */
import type { ChangeCommitter } from "../core/audit.ts";
import type { Clock } from "../core/clock.ts";
import type { Keyring } from "../core/keyring.ts";
import type { Logger } from "../core/log.ts";
import { SESSION_KIND } from "../core/session.ts";
import type { Store } from "../core/store.ts";
import type { Tenant } from "../core/tenant.ts";
import type { Outbox } from "../notify/outbox.ts";
import type { SmsProvider } from "../notify/sms.ts";
import { CREDENTIAL_KIND, LOGIN_KIND, USER_KIND } from "./account.ts";
import { Assertions } from "./assertion.ts";
import { CHALLENGE_KIND } from "./challenge.ts";
import { Completion } from "./completion.ts";
import { DEVICE_KIND } from "./devices.ts";
import { ENROLMENT_KIND, Enrolments } from "./enrolment.ts";
import { Errands } from "./errands.ts";
import { FirstSteps } from "./first-step.ts";
import { Grants } from "./grants.ts";
import { Invitations } from "./invitations.ts";
import { KNOWN_PLACE_KIND } from "./known-places.ts";
import { PasswordHasher } from "./password-hash.ts";
import { ProofRequests } from "./proof-requests.ts";
import { Proofs } from "./proofs.ts";
import { SelfService } from "./self-service.ts";
import { SESSION_USE_KIND, USER_SESSION_KIND } from "./session-record.ts";
import { Sessions } from "./sessions.ts";
import { SharedLogins } from "./shared-login.ts";
import { SignIn } from "./sign-in.ts";
import { SMS_CODE_KIND, SmsCodes, type SmsRules } from "./sms-factor.ts";
import { FAILURE_KIND, Throttle } from "./throttle.ts";
import { TOKEN_KIND } from "./tokens.ts";
import { Users } from "./users.ts";

/** Documents of the person door, all of ids `{tenant}/…`. */
export const PERSON_KINDS = [
  SESSION_KIND,
  SESSION_USE_KIND,
  USER_SESSION_KIND,
  CHALLENGE_KIND,
  ENROLMENT_KIND,
  TOKEN_KIND,
  DEVICE_KIND,
  SMS_CODE_KIND,
  FAILURE_KIND,
  KNOWN_PLACE_KIND,
  LOGIN_KIND,
  CREDENTIAL_KIND,
  USER_KIND,
] as const;

export interface PersonDoorOptions {
  readonly store: Store;
  readonly ledger: ChangeCommitter;
  readonly keyring: Keyring;
  readonly clock: Clock;
  readonly outbox: Pick<Outbox, "write">;
  /** `undefined`: no text messages. */
  readonly smsProvider: SmsProvider | undefined;
  readonly smsRules: SmsRules;
  /** Tests give a cheap one. */
  readonly hasher?: PasswordHasher;
  /** `scheme://host[:port]` under which a tenant's pages are reached, for links in mails. */
  readonly siteOrigin: (tenant: Tenant) => string;
  /** Hears of what failed after its answer. */
  readonly log: Pick<Logger, "error">;
}

/** What somebody does who manages a tenant's users. */
export interface Management {
  readonly users: Users;
  readonly invitations: Invitations;
  readonly sessions: Sessions;
}

export interface PersonDoor extends Management {
  readonly signIn: SignIn;
  readonly proofRequests: ProofRequests;
  readonly enrolments: Enrolments;
  readonly selfService: SelfService;
  readonly assertions: Assertions;
  /** The managing rules for one caller, whose committer adds a part of its own to the one change that each method makes. */
  manage(ledger: ChangeCommitter): Management;
  /** Resolves when the mails and messages that answers did not wait for are written or given up; to be awaited before the store closes. */
  settle(): Promise<void>;
}

export function openPersonDoor(options: PersonDoorOptions): PersonDoor {
  const { store, ledger, keyring, clock, outbox, smsProvider, smsRules, siteOrigin, log } = options;
  const errands = new Errands(log);
  const hasher = options.hasher ?? new PasswordHasher();
  const throttle = new Throttle(store, clock);
  const sessions = new Sessions(store, ledger, clock);
  const sms = new SmsCodes(store, keyring, clock, smsProvider, smsRules);
  const sharedLogins = new SharedLogins({ store, ledger, clock, outbox, sessions });
  const completion = new Completion({ store, ledger, keyring, clock, outbox, throttle, sharedLogins });
  const firstSteps = new FirstSteps({ store, ledger, clock, completion, sms });
  const grants = new Grants({ store, ledger, keyring, clock, sessions });
  const proofs = new Proofs(keyring, clock, sms);
  const management = (ledger: ChangeCommitter, sessions: Sessions): Management => ({
    users: new Users({ store, ledger, clock, outbox, hasher, sessions, throttle }),
    invitations: new Invitations({
      ...{ store, ledger, clock, outbox, hasher, sessions },
      ...{ throttle, firstSteps, errands, siteOrigin },
    }),
    sessions,
  });
  return {
    ...management(ledger, sessions),
    manage: (committer) => management(committer, new Sessions(store, committer, clock)),
    signIn: new SignIn({
      store,
      ledger,
      clock,
      hasher,
      throttle,
      proofs,
      sms,
      completion,
      firstSteps,
      outbox,
      errands,
    }),
    proofRequests: new ProofRequests({ store, sms, errands }),
    enrolments: new Enrolments({ store, ledger, keyring, clock, outbox, sms, grants, completion }),
    selfService: new SelfService({ store, ledger, clock, outbox, hasher, grants }),
    assertions: new Assertions(store, keyring, clock),
    settle: async () => await errands.settle(),
  };
}
