/** Evidence that several people use one login: active at the same time, far apart, in different browsers. Told, not blocked. */

import { parseAddress } from "../core/address.ts";
import type { ChangeCommitter } from "../core/audit.ts";
import type { Clock } from "../core/clock.ts";
import type { SessionHash } from "../core/ids.ts";
import { readAll } from "../core/read-all.ts";
import type { Store, Write } from "../core/store.ts";
import type { Tenant } from "../core/tenant.ts";
import type { Outbox } from "../notify/outbox.ts";
import { type Account, USER_KIND, type UserRecord } from "./account.ts";
import { sessionIdOf } from "./session-record.ts";
import type { Sessions } from "./sessions.ts";
import { farApart, type Visit } from "./visit.ts";

/** Used this recently is "at the same time". */
const SAME_TIME_MS = 5 * 60_000;
const TELL_EVERY_MS = 24 * 60 * 60_000;
const MOST_TOLD = 10;

export interface SharedLoginOptions {
  readonly store: Store;
  readonly ledger: ChangeCommitter;
  readonly clock: Clock;
  readonly outbox: Pick<Outbox, "write">;
  readonly sessions: Sessions;
}

export class SharedLogins {
  readonly #options: SharedLoginOptions;

  constructor(options: SharedLoginOptions) {
    this.#options = options;
  }

  /** Compares a session that has just begun with the user's others; at most one notice a day and user. */
  async look(visit: Visit, account: Account, begun: SessionHash): Promise<void> {
    const { store, ledger, clock, sessions } = this.#options;
    const nowMs = clock.nowMs();
    const others = (await sessions.listOfUser(visit.tenant, account.id)).filter((session) => {
      if (session.id === sessionIdOf(begun) || nowMs - session.lastSeenAtMs > SAME_TIME_MS) return false;
      const address = parseAddress(session.address);
      const otherBrowser = session.userAgent !== visit.userAgent.slice(0, 400);
      return otherBrowser && address !== undefined && farApart(address, visit.address);
    });
    if (others.length === 0) return;
    if (!(await store.useOnce(`shared-login/${account.tenant}/${account.id}`, TELL_EVERY_MS))) return;
    const addresses = [visit.address.text, ...new Set(others.map((session) => session.address))];
    await ledger.commit({
      writes: await this.#tellOwners(visit.tenant, account.user.email, addresses, nowMs),
      audit: [
        {
          action: "user.shared",
          tenant: account.tenant,
          actor: { kind: "system", id: "person" },
          target: account.id,
          after: { addresses },
        },
      ],
    });
  }

  async #tellOwners(tenant: Tenant, login: string, addresses: readonly string[], nowMs: number): Promise<Write[]> {
    const { store, outbox } = this.#options;
    const owners: UserRecord[] = [];
    for await (const { value } of readAll(store, { kind: USER_KIND, prefix: `${tenant.id}/` })) {
      const user = value as UserRecord;
      if (user.role === "owner" && user.state === "active") owners.push(user);
      if (owners.length === MOST_TOLD) break;
    }
    return owners.flatMap((owner) => outbox.write(tenant, owner, { kind: "shared-login", login, addresses }, nowMs));
  }
}
