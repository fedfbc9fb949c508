/** The account page's routes: what a signed-in person sees and changes about themselves. */
import type { SignedIn } from "../person/completion.ts";
import { isFresh } from "../person/grants.ts";
import type { LiveSession } from "../person/session-record.ts";
import { type AccountView, showAccount } from "./account-view.ts";
import { afterSignIn } from "./outcome.ts";
import { isRefusedPassword } from "./passwords.ts";
import type { PersonPages } from "./person-pages.ts";
import { type Answer, type Call, pathTo, type Route, redirectTo } from "./route.ts";
import { actorOf, withSession } from "./visitor.ts";

export function accountRoutes(pages: PersonPages): Route[] {
  const { person } = pages;
  const change = (path: string, fields: readonly string[], work: (call: Call) => Promise<SignedIn>): Route => ({
    method: "POST",
    path,
    fields,
    handle: async (call) => afterSignIn(call, await work(call)),
  });
  const endOne = (path: string, work: (call: Call, session: LiveSession, id: string) => Promise<unknown>): Route => ({
    method: "POST",
    path,
    fields: ["id"],
    handle: (call) =>
      withSession(call, pages, async (session) => {
        await work(call, session, call.form["id"] ?? "");
        return redirectTo(pathTo("account"));
      }),
  });
  return [
    { method: "GET", path: "account", handle: (call) => show(call, pages) },
    change("account/remove-factor", ["id"], ({ visit, form }) => person.selfService.removeFactor(visit, form["id"])),
    change("account/recovery-codes", [], ({ visit }) => person.selfService.renewRecoveryCodes(visit)),
    {
      method: "POST",
      path: "account/password",
      fields: ["email", "password"],
      handle: (call) => setPassword(call, pages),
    },
    { method: "POST", path: "account/rename-factor", fields: ["id", "name"], handle: (call) => rename(call, pages) },
    endOne("account/forget-device", (call, session, id) =>
      person.selfService.forgetDevice(session, id, actorOf(call, session)),
    ),
    endOne("account/end-session", (call, session, id) =>
      person.sessions.end(call.visit.tenant.id, id, actorOf(call, session), session.user),
    ),
  ];
}

async function show(call: Call, pages: PersonPages, passwordError?: string): Promise<Answer> {
  return await withSession(call, pages, async (session) => {
    const { sessions, selfService } = pages.person;
    const view: AccountView = {
      session,
      ...(await selfService.factors(session)),
      sessions: await sessions.listOfUser(call.visit.tenant, session.user),
      devices: await selfService.devices(session),
      fresh: isFresh(session, call.nowMs),
      passwordError,
    };
    return showAccount(call, view);
  });
}

async function rename({ visit, form }: Call, { person }: PersonPages): Promise<Answer> {
  await person.selfService.renameFactor(visit, form["id"], form["name"]);
  return redirectTo(pathTo("account"));
}

async function setPassword(call: Call, pages: PersonPages): Promise<Answer> {
  try {
    return afterSignIn(call, await pages.person.selfService.changePassword(call.visit, call.form["password"]));
  } catch (error) {
    if (!isRefusedPassword(error)) throw error;
    return await show(call, pages, call.text("password.refused"));
  }
}
