/** The clinics that one login belongs to, and whether each lets an address in. */
import type { Address } from "../core/address.ts";
import type { Store } from "../core/store.ts";
import type { OwnClinic, OwnClinics } from "../pages/place-pages.ts";
import {
  LOGIN_KIND,
  loadAccount,
  loginDocumentId,
  USER_KIND,
  type UserRecord,
  userDocumentId,
} from "../person/account.ts";
import { ownsMailbox } from "../person/mailbox.ts";
import type { LiveSession } from "../person/session-record.ts";
import type { TenantPolicy } from "../replica/policy.ts";

const PER_READ = 1000;

/**
 * The clinic of this session, and the others with the same e-mail address: only where its user was seen to read that
 * mailbox, since whoever manages this clinic can give a user any address. Disabled logins are left out.
 */
export async function findOwnClinics(
  store: Store,
  all: Iterable<TenantPolicy>,
  { tenant, user, email }: Pick<LiveSession, "tenant" | "user" | "email">,
  address: Address,
  nowMs: number,
): Promise<OwnClinics> {
  const found: OwnClinic[] = [];
  const nowSeconds = Math.floor(nowMs / 1000);
  const account = await loadAccount(store, tenant, user);
  const mailboxProven = account !== undefined && account.user.email === email && ownsMailbox(account);
  const tenants = [...all].filter(({ id }) => mailboxProven || id === tenant);
  for (let from = 0; from < tenants.length; from += PER_READ) {
    for (const { id, name, hosts, policy, matcher } of await havingLogin(
      store,
      tenants.slice(from, from + PER_READ),
      email,
    )) {
      const [host] = hosts;
      const admitted = policy.network !== "enforce" || matcher.lookup(address, nowSeconds) >= 0;
      if (host !== undefined) found.push({ id, name, host, admitted });
    }
  }
  return { mailboxProven, clinics: found.toSorted((one, other) => one.name.localeCompare(other.name)) };
}

async function havingLogin(store: Store, tenants: readonly TenantPolicy[], email: string): Promise<TenantPolicy[]> {
  const logins = await store.getMany(
    LOGIN_KIND,
    tenants.map(({ id }) => loginDocumentId(id, email)),
  );
  const known = tenants.flatMap((tenant, index) => {
    const login = logins[index]?.value as { user: string } | undefined;
    return login === undefined ? [] : [{ tenant, id: userDocumentId(tenant.id, login.user) }];
  });
  const users = await store.getMany(
    USER_KIND,
    known.map(({ id }) => id),
  );
  return known
    .filter((_, index) => ((users[index]?.value as UserRecord | undefined)?.state ?? "disabled") !== "disabled")
    .map(({ tenant }) => tenant);
}
