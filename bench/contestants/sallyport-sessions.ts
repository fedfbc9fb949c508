/** People who have signed in, put into the store as the rules themselves would have, before anything is started. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { ensureSecretKeys } from "../../src/config/key-files.ts";
import { systemClock } from "../../src/core/clock.ts";
import { cookieNames } from "../../src/core/cookies.ts";
import { type CanonicalIp, newSecret, type TenantId } from "../../src/core/ids.ts";
import { hashSessionSecret, SESSION_KIND } from "../../src/core/session.ts";
import type { Write } from "../../src/core/store.ts";
import { DEFAULT_POLICY } from "../../src/core/tenant.ts";
import { USER_KIND, type UserRecord, userDocumentId } from "../../src/person/account.ts";
import type { SessionRecord } from "../../src/person/session-record.ts";
import { openStore } from "../../src/store/open.ts";

const USER = `usr_${"0".repeat(26)}`;
const SESSIONS_PER_COMMIT = 5_000;

/** Makes one user with so many live sessions, each with a second factor. @returns the `Cookie` fields of the first `known` */
export async function seedSessions(
  dataDir: string,
  tenant: string,
  tls: boolean,
  count: number,
  known: number,
): Promise<string[]> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  ensureSecretKeys(dataDir);
  const store = await openStore(`sqlite:${join(dataDir, "sallyport.db")}`, { clock: systemClock });
  const user: UserRecord = {
    email: "receptionist@clinic.example",
    role: "user",
    state: "active",
    epoch: 1,
    createdAt: new Date().toISOString(),
  };
  const id = tenant as TenantId;
  await store.commit({ writes: [{ kind: USER_KIND, id: userDocumentId(id, USER), value: user }] });
  const name = cookieNames(tls).session;
  const cookies: string[] = [];
  for (let made = 0; made < count; made += SESSIONS_PER_COMMIT) {
    const sessions = Array.from({ length: Math.min(SESSIONS_PER_COMMIT, count - made) }, () => sessionOf(id));
    await store.commit({ writes: sessions.map(({ write }) => write) });
    for (const { secret } of sessions) if (cookies.length < known) cookies.push(`${name}=${secret}`);
  }
  await store.close();
  return cookies;
}

function sessionOf(tenant: TenantId): { readonly secret: string; readonly write: Write } {
  const secret = newSecret();
  const startedAtMs = systemClock.nowMs();
  const expiresAtMs = startedAtMs + DEFAULT_POLICY.session.maxSeconds * 1000;
  const address = "127.0.0.1" as CanonicalIp;
  const value: SessionRecord = { user: USER, epoch: 1, amr: ["pwd", "otp"], startedAtMs, address, userAgent: "bench" };
  const id = `${tenant}/${hashSessionSecret(secret)}`;
  return { secret, write: { kind: SESSION_KIND, id, value, expiresAtMs, quiet: true } };
}
