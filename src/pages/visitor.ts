/** Who is signed in, for the pages that are about them. */
import { SallyportError } from "../core/errors.ts";
import { isSecret } from "../core/ids.ts";
import { provesAccepted } from "../core/second-factor.ts";
import { hashSessionSecret } from "../core/session.ts";
import { type Html, html, raw } from "../look/html.ts";
import type { PlainKey } from "../look/language.ts";
import type { SignedIn } from "../person/completion.ts";
import { isFresh } from "../person/grants.ts";
import type { LiveSession } from "../person/session-record.ts";
import { maySelfAllow } from "../whitelist/self-allow.ts";
import { postForm } from "./page-form.ts";
import type { PersonPages } from "./person-pages.ts";
import { type Answer, type Call, pathTo, redirectTo, showPage } from "./route.ts";

/** The live session of this browser; looking at our pages keeps it awake like any request. */
export async function sessionOf(
  { visit, nowMs, query }: Call,
  { person }: PersonPages,
): Promise<LiveSession | undefined> {
  const secret = visit.cookies.session;
  if (!isSecret(secret)) return undefined;
  const hash = hashSessionSecret(secret);
  const session = await person.sessions.lookup(visit.tenant, hash);
  // An open page that renews itself keeps nobody signed in.
  if (session !== undefined && query["live"] === undefined) person.sessions.noteSeen(visit.tenant, hash, nowMs);
  return session;
}

/** The live session, if a second factor that the tenant accepts was proven for it, whether or not it is asked for. */
export async function provenSession(call: Call, pages: PersonPages): Promise<LiveSession | undefined> {
  const session = await sessionOf(call, pages);
  return session !== undefined && provesAccepted(call.visit.tenant.policy, session) ? session : undefined;
}

/** Answers with the session's page, or sends to the sign-in and back to `wayBack`. */
export async function withSession(
  call: Call,
  pages: PersonPages,
  page: (session: LiveSession) => Promise<Answer> | Answer,
  wayBack: string = pathTo("account"),
): Promise<Answer> {
  const session = await sessionOf(call, pages);
  return session === undefined ? redirectTo(signInPath(call, pages, wayBack)) : await page(session);
}

/** The sign-in, which then leads to `wayBack`. @param query `fresh: "1"` asks for the proof although there is a session */
export function signInPath(
  { visit }: Call,
  { waysBack }: PersonPages,
  wayBack: string,
  query: Readonly<Record<string, string>> = {},
): string {
  const { browser } = visit.cookies;
  const to = browser === undefined ? undefined : waysBack.seal(visit, browser, wayBack);
  return pathTo("sign-in", { ...query, to });
}

/** @throws SallyportError `proof_required` unless the sign-in is recent, which sends the person to give the proof */
export function requireProof({ nowMs }: Call, session: LiveSession): void {
  if (!isFresh(session, nowMs)) throw new SallyportError("proof_required", "sign in again to do this");
}

/** One click in a page's navigation, which looks like the links beside it. */
export function signOutForm(call: Call): Html {
  const leave = html`<button class="link-button" type="submit">${call.text("signOut.here")}</button>`;
  return postForm(call, { path: "sign-out" }, leave);
}

/** The navigation of a signed-in person's own pages. */
export function accountNav(call: Call, current: "account" | "shortcuts" | "clinics", { role }: LiveSession): Html {
  const { text, visit } = call;
  const link = (path: "account" | "shortcuts" | "portal" | "clinics", key: PlainKey) =>
    html`<a href="${pathTo(path)}"${path === current && raw` aria-current="page"`}>${text(key)}</a>`;
  return html`<nav aria-label="${text("account.title")}">${link("account", "account.title")}${
    maySelfAllow(visit.tenant.policy, role) && link("shortcuts", "shortcuts.title")
  }${role === "owner" && link("portal", "portal.title")}${link("clinics", "clinics.short")}${signOutForm(call)}</nav>`;
}

/** Signed in, but not for this. */
export function showForbidden({ text, visit }: Call): Answer {
  const body = html`<section class="panel"><h1>${text("forbidden.title")}</h1>
<p>${text("forbidden.why", { tenant: visit.tenant.name })}</p>
<p class="actions"><a class="button" href="${pathTo("account")}">${text("account.open")}</a></p></section>`;
  return showPage({ title: text("forbidden.title"), body }, 403);
}

/** Whose doing it is, for the audit log. */
export function actorOf({ visit }: Call, { user: id }: Pick<SignedIn | LiveSession, "user">) {
  return { kind: "user" as const, id, address: visit.address.text };
}
