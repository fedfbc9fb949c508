/** The demo's people, there before the gate starts: an owner who is enrolled, and a receptionist whom both clinics invite. */
import { generateSync } from "otplib";
import { completeSecrets } from "../config/key-files.ts";
import type { Loaded } from "../config.ts";
import { parseAddress } from "../core/address.ts";
import type { Clock } from "../core/clock.ts";
import { Keyring } from "../core/keyring.ts";
import type { Tenant } from "../core/tenant.ts";
import type { Notice } from "../notify/notice.ts";
import { Outbox } from "../notify/outbox.ts";
import { Ledger } from "../observe/ledger.ts";
import { openPersonDoor, type PersonDoor } from "../person/door.ts";
import { smsRulesOf } from "../person/sms-factor.ts";
import type { Visit } from "../person/visit.ts";
import { openStore } from "../store/open.ts";

const ACTOR = { kind: "cli", id: "demo" } as const;
/** The code that confirms the owner's authenticator is used up; people's first codes are later ones. */
const EARLIER_MS = 90_000;

export interface Owner {
  readonly email: string;
  readonly password: string;
  /** The key of the authenticator app, base32. */
  readonly secret: string;
}

const OWNER = { email: "ann@happyfeet.example", name: "Ann Larkspur", password: "seven quiet herons wading" };
const RECEPTIONIST = { email: "robin@reception.example", name: "Robin Reed" };

/** The owner is the first clinic's. Invitations wait in the outbox until the gate sends them. */
export async function seedPeople({ config, secrets }: Loaded, clinics: readonly string[]): Promise<Owner> {
  const { secretKey, olderSecretKeys } = completeSecrets(config, secrets);
  const keyring = new Keyring([secretKey, ...olderSecretKeys]);
  const outbox = new Outbox(config.mail, keyring);
  const clock: Clock = { nowMs: () => Date.now() - EARLIER_MS };
  const ownerMail: Notice[] = [];
  const store = await openStore(config.store.url, { clock });
  try {
    const door = openPersonDoor({
      store,
      ledger: new Ledger({ store, keyring, chain: "demo", clock }),
      keyring,
      clock,
      outbox: {
        write(tenant, to, notice, nowMs) {
          if (to.email !== OWNER.email) return outbox.write(tenant, to, notice, nowMs);
          // The owner has read it by the time the gate starts.
          ownerMail.push(notice);
          return [];
        },
      },
      smsProvider: undefined,
      smsRules: smsRulesOf(config.sms.limits),
      // Nobody asks for anything that is done after an answer.
      log: { error() {} },
      siteOrigin: ({ hosts }) => config.publicUrl.replace("{host}", hosts[0] ?? ""),
    });
    const tenants = clinics.flatMap((id) => config.tenants.filter((tenant) => tenant.id === id));
    for (const tenant of tenants) {
      const { id } = await door.users.create({ ...tenant, declared: true }, RECEPTIONIST, ACTOR);
      await door.invitations.invite({ ...tenant, declared: true }, id, ACTOR);
    }
    const [first] = tenants;
    if (first === undefined) throw new Error("there is no clinic");
    return { ...OWNER, secret: await enrolOwner(door, { ...first, declared: true }, clock, ownerMail) };
  } finally {
    await store.close();
  }
}

/** As a browser would: the invitation that came by mail, password, authenticator, confirming code. @returns the authenticator's key */
async function enrolOwner(door: PersonDoor, tenant: Tenant, clock: Clock, inbox: readonly Notice[]): Promise<string> {
  const { email, name, password } = OWNER;
  const { id } = await door.users.create(tenant, { email, name, role: "owner" }, ACTOR);
  await door.invitations.invite(tenant, id, ACTOR);
  const invitation = inbox.find((notice) => notice.kind === "invite");
  const [host] = tenant.hosts;
  const address = parseAddress("127.0.0.1");
  if (host === undefined || address === undefined) throw new Error("the clinic has no host");
  const stranger: Visit = {
    tenant,
    host,
    origin: `http://${host}`,
    address,
    userAgent: "demo",
    lang: "en-GB",
    located: false,
    cookies: {},
  };
  const accepted = await door.invitations.accept(stranger, "invite", invitation?.link.split("/").at(-1), password);
  if (accepted.kind !== "continue" || accepted.browser === undefined) throw new Error("the owner was not invited");
  const { challenge } = accepted.step;
  const visit = { ...stranger, cookies: { browser: accepted.browser } };
  const { enrolment } = await door.enrolments.beginTotp(visit, challenge, "Demo");
  const offer = await door.enrolments.showTotp(visit, challenge, enrolment);
  const secret = offer?.secretText.replaceAll(" ", "") ?? "";
  const code = generateSync({ secret, epoch: Math.floor(clock.nowMs() / 1000) });
  const outcome = await door.enrolments.confirm(visit, challenge, enrolment, { code });
  if (outcome.kind !== "signed-in") throw new Error("the owner could not be enrolled");
  await door.users.endSessions(tenant, id, ACTOR);
  return secret;
}
