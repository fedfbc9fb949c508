/** People who sign in at a running gate's store, by the rules and without its pages. */
import type { Test } from "tap";
import { systemClock } from "../../src/core/clock.ts";
import { Keyring } from "../../src/core/keyring.ts";
import { Outbox } from "../../src/notify/outbox.ts";
import { Ledger } from "../../src/observe/ledger.ts";
import { openPersonDoor, type PersonDoor } from "../../src/person/door.ts";
import { PasswordHasher } from "../../src/person/password-hash.ts";
import { openStore } from "../../src/store/open.ts";
import { Browser, CHEAP, makeTenant, SMS_RULES, totpCode } from "./person-door.ts";
import { SILENT } from "./silent-log.ts";

/** A person door as another node would have it: of the same store, with the same secret key. */
export async function openDoorOn(t: Test, url: string, secretKey: Uint8Array): Promise<PersonDoor> {
  const store = await openStore(url, { clock: systemClock });
  t.teardown(() => store.close());
  const keyring = new Keyring([secretKey]);
  return openPersonDoor({
    store,
    ledger: new Ledger({ store, keyring, chain: "person", clock: systemClock }),
    keyring,
    clock: systemClock,
    outbox: new Outbox({ transport: "none" }, keyring),
    smsProvider: undefined,
    smsRules: SMS_RULES,
    log: SILENT,
    hasher: new PasswordHasher(CHEAP),
    siteOrigin: ({ hosts }) => `https://${hosts[0]}`,
  });
}

/** The first sign-in, which enrols an authenticator. @returns the session's secret, as its cookie holds it */
export async function signInFirst(door: PersonDoor, tenant: string, email: string): Promise<string> {
  const browser = new Browser(makeTenant(tenant));
  const { challenge } = await browser.identify(door, email);
  const { enrolment } = await door.enrolments.beginTotp(browser.visit, challenge, "Phone");
  const offer = await door.enrolments.showTotp(browser.visit, challenge, enrolment);
  const code = totpCode(offer?.secretText ?? "", Date.now());
  browser.keep(await door.enrolments.confirm(browser.visit, challenge, enrolment, { code }));
  if (browser.cookies.session === undefined) throw new Error("the sign-in ended without a session");
  return browser.cookies.session;
}
