/** The person door on one node: its rules, the mail and text messages that they send, and what the edges ask of it. */
import type { ChangeCommitter } from "../core/audit.ts";
import type { Clock } from "../core/clock.ts";
import type { ExplainFacts } from "../core/explain.ts";
import type { TenantId } from "../core/ids.ts";
import type { Keyring } from "../core/keyring.ts";
import type { Logger } from "../core/log.ts";
import type { SessionLookup, SessionUse } from "../core/session.ts";
import type { Store } from "../core/store.ts";
import { TENANT_KIND, type Tenant } from "../core/tenant.ts";
import { openMailTransport } from "../notify/mail-transport.ts";
import { openSmsProvider } from "../notify/open-sms.ts";
import { OUTBOX_CONTENT_KIND, OUTBOX_KIND, OUTBOX_SETTLED_KIND, Outbox } from "../notify/outbox.ts";
import { OutboxWorker } from "../notify/outbox-worker.ts";
import type { MailSettings, SmsLimits, SmsSettings } from "../notify/settings.ts";
import { openPersonDoor, PERSON_KINDS, type PersonDoor } from "../person/door.ts";
import { smsRulesOf } from "../person/sms-factor.ts";
import type { UserView } from "../person/user-view.ts";
import type { PolicyReplica } from "../replica/policy.ts";

/** Documents that go when their tenant is deleted. Sessions are among them, so that the edges hear of their end. */
export const OWNED_KINDS = [...PERSON_KINDS, OUTBOX_KIND, OUTBOX_CONTENT_KIND, OUTBOX_SETTLED_KIND] as const;

const FLUSH_EVERY_MS = 5_000;

export interface NodePersonDoorOptions {
  readonly store: Store;
  readonly ledger: ChangeCommitter;
  readonly keyring: Keyring;
  readonly replica: PolicyReplica;
  readonly mail: MailSettings;
  readonly sms: SmsSettings & { readonly limits: SmsLimits };
  /** `https://{host}` */
  readonly publicUrl: string;
  /** Whether codes may be printed. */
  readonly development: boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Reads nothing of the store before it is asked, so that it can be opened while the store is away. */
export class NodePersonDoor {
  readonly rules: PersonDoor;
  readonly outbox: Outbox;
  /** Whether codes can be sent by text message. */
  readonly textMessages: boolean;
  readonly #options: NodePersonDoorOptions;
  readonly #mail: OutboxWorker | undefined;
  readonly #timer: NodeJS.Timeout;

  private constructor(
    options: NodePersonDoorOptions,
    rules: PersonDoor,
    outbox: Outbox,
    mail: OutboxWorker | undefined,
    textMessages: boolean,
  ) {
    this.#options = options;
    this.rules = rules;
    this.outbox = outbox;
    this.textMessages = textMessages;
    this.#mail = mail;
    this.#mail?.start();
    this.#timer = setInterval(() => void this.#flush(), FLUSH_EVERY_MS);
  }

  /** @throws SallyportError `config_invalid`; Error when a file that the settings name cannot be read */
  static async open(options: NodePersonDoorOptions): Promise<NodePersonDoor> {
    const { store, ledger, keyring, mail, sms, development, clock, log } = options;
    const smsProvider = await openSmsProvider(sms, { development });
    const transport = await openMailTransport(mail);
    const outbox = new Outbox(mail, keyring);
    const rules = openPersonDoor({
      store,
      ledger,
      keyring,
      clock,
      log,
      outbox,
      smsProvider,
      smsRules: smsRulesOf(sms.limits),
      siteOrigin: (tenant) => siteOrigin(options.publicUrl, tenant),
    });
    const worker = transport === undefined ? undefined : new OutboxWorker({ store, outbox, transport, clock, log });
    return new NodePersonDoor(options, rules, outbox, worker, smsProvider !== undefined);
  }

  /** Lets mail under way be written and handed over, and writes down which sessions were used. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.rules.settle();
    await Promise.all([this.#flush(), this.#mail?.stop()]);
  }

  /**
   * For the edges, with an assertion in the name of the tenant's first host, whichever host the session is for:
   * the application behind is one, and expects one.
   */
  readonly lookupSession: SessionLookup = async (id, hash) => {
    const tenant = this.#options.replica.tenant(id);
    const host = tenant?.hosts[0];
    if (tenant === undefined || host === undefined) return undefined;
    const session = await this.rules.sessions.lookup(tenant, hash);
    if (session === undefined) return undefined;
    const { token, untilMs } = await this.rules.assertions.forSession(session, host);
    const { user, email, amr, remembered, expiresAtMs } = session;
    const proofs = { amr, ...(remembered === undefined ? {} : { remembered }) };
    return { id: session.id, user, email, ...proofs, expiresAtMs, assertion: token, assertionUntilMs: untilMs };
  };

  /** `scheme://host[:port]` under which a tenant's pages are reached. */
  readonly siteOrigin = (tenant: Pick<Tenant, "hosts">): string => siteOrigin(this.#options.publicUrl, tenant);

  /** Takes what the edges report; it keeps sessions awake, but not beyond now. */
  noteUse(use: SessionUse): void {
    const nowMs = this.#options.clock.nowMs();
    for (const [id, hash, seconds] of use) {
      const tenant = this.#options.replica.tenant(id);
      if (tenant !== undefined) this.rules.sessions.noteSeen(tenant, hash, Math.min(seconds * 1000, nowMs));
    }
  }

  /** Why this person, named by id or e-mail, is let in or not. */
  async explain(id: TenantId, who: string): Promise<ExplainFacts["person"]> {
    const tenant = (await this.#options.store.get(TENANT_KIND, id))?.value as Tenant | undefined;
    const user = tenant === undefined ? undefined : await this.rules.users.find(tenant, who);
    if (tenant === undefined || user === undefined)
      return { id: who, hasSession: false, detail: "there is no such user" };
    const live = (await this.rules.sessions.listOfUser(tenant, user.id)).length;
    return { id: user.id, hasSession: live > 0, detail: describe(user, live) };
  }

  async #flush(): Promise<void> {
    try {
      await this.rules.sessions.flush();
    } catch (error) {
      this.#options.log.debug({ err: error }, "which sessions were used waits for the store");
    }
  }
}

function siteOrigin(publicUrl: string, { hosts }: Pick<Tenant, "hosts">): string {
  return publicUrl.replace("{host}", () => hosts[0] ?? "");
}

function failuresText(failures: UserView["signIn"]["failures"]): string {
  if (failures === undefined) return "";
  const { count, since, waitUntil } = failures;
  const tries = `; ${count} failed attempt${count === 1 ? "" : "s"}${since === undefined ? "" : ` since ${since}`}`;
  return waitUntil === undefined ? tries : `${tries}, wait until ${waitUntil}`;
}

function describe({ email, id, signIn }: UserView, live: number): string {
  const sessions = live === 0 ? "no live session" : `${live} live session${live === 1 ? "" : "s"}`;
  const outlook = signIn.possible ? "can sign in" : `cannot sign in: ${signIn.reasons.join(", ")}`;
  return `${email} (${id}) has ${sessions}, and ${outlook}${failuresText(signIn.failures)}`;
}
