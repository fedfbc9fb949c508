/** Who is signed in, for the pages that are about them. */
import type { SignedIn } from "../person/completion.ts";
import { FRESH_MS } from "../person/grants.ts";
import { hashSessionSecret, isSessionSecret, type LiveSession, provesSecondFactor } from "../person/session-record.ts";
import type { PersonPages } from "./person-pages.ts";
import { type Answer, type Call, pathTo, redirectTo } from "./route.ts";

/** The live session of this browser; looking at our pages keeps it awake like any request. */
export async function sessionOf({ visit, nowMs }: Call, { person }: PersonPages): Promise<LiveSession | undefined> {
  const secret = visit.cookies.session;
  if (secret === undefined || !isSessionSecret(secret)) return undefined;
  const hash = hashSessionSecret(secret);
  const session = await person.sessions.lookup(visit.tenant, hash);
  if (session !== undefined) person.sessions.noteSeen(visit.tenant, hash, nowMs);
  return session;
}

/** The live session, if the second factor was proven for it, whatever the tenant's policy asks for. */
export async function provenSession(call: Call, pages: PersonPages): Promise<LiveSession | undefined> {
  const session = await sessionOf(call, pages);
  return session !== undefined && provesSecondFactor(session.amr) ? session : undefined;
}

/** Whether the rules will take this session for a recent proof. */
export function isFresh(session: LiveSession, nowMs: number): boolean {
  return nowMs - session.startedAtMs <= FRESH_MS && !session.amr.includes("device");
}

/** Answers with the session's page, or sends to the sign-in and back. */
export async function withSession(
  call: Call,
  pages: PersonPages,
  page: (session: LiveSession) => Promise<Answer> | Answer,
): Promise<Answer> {
  const session = await sessionOf(call, pages);
  if (session !== undefined) return await page(session);
  const { browser } = call.visit.cookies;
  const to = browser === undefined ? undefined : pages.waysBack.seal(call.visit, browser, pathTo("account"));
  return redirectTo(pathTo("sign-in", { to }));
}

/** Whose doing it is, for the audit log. */
export function actorOf({ visit }: Call, { user: id }: Pick<SignedIn | LiveSession, "user">) {
  return { kind: "user" as const, id, address: visit.address.text };
}
