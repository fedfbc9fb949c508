/** Signing out, from here alone or from everywhere: a post from any page's navigation, or a page of its own for links. */

import { hashSessionSecret } from "../core/session.ts";
import { notice } from "../look/displays.ts";
import { button } from "../look/forms.ts";
import { html } from "../look/html.ts";
import { postForm } from "./page-form.ts";
import type { PersonPages } from "./person-pages.ts";
import { type Answer, type Call, type CookieChanges, pathTo, type Route, showPage } from "./route.ts";
import { actorOf, sessionOf } from "./visitor.ts";

export function signOutRoutes(pages: PersonPages): Route[] {
  return [
    { method: "GET", path: "sign-out", handle: (call) => ask(call, pages) },
    { method: "POST", path: "sign-out", fields: ["all"], handle: (call) => signOut(call, pages) },
  ];
}

async function ask(call: Call, pages: PersonPages): Promise<Answer> {
  const { text } = call;
  const session = await sessionOf(call, pages);
  if (session === undefined) return showSignedOut(call, {});
  const everywhere = button(text("signOut.all"), { kind: "secondary", name: "all", value: "yes" });
  const body = html`<section class="panel"><h1>${text("signOut.title")}</h1>
<p>${text("signOut.who", { email: session.email })}</p>
${postForm(call, { path: "sign-out" }, html`<p class="actions">${button(text("signOut.here"))}${everywhere}</p>`)}
<p><a href="${pathTo("account")}">${text("account.open")}</a></p></section>`;
  return showPage({ title: text("signOut.title"), body });
}

/** Takes the browser's cookie away as well: only a post changes that. */
async function signOut(call: Call, pages: PersonPages): Promise<Answer> {
  const { visit, form } = call;
  const session = await sessionOf(call, pages);
  if (session === undefined || visit.cookies.session === undefined) return showSignedOut(call);
  const actor = actorOf(call, session);
  const { users, sessions } = pages.person;
  if (form["all"] === undefined)
    await sessions.endByHash(visit.tenant.id, hashSessionSecret(visit.cookies.session), actor);
  else await users.endSessions(visit.tenant, session.user, actor);
  return showSignedOut(call);
}

function showSignedOut(call: Call, cookies: CookieChanges = { session: null }): Answer {
  const { text } = call;
  const body = html`<section class="panel"><h1>${text("signOut.doneTitle")}</h1>${notice("good", text("signOut.done"))}
<p class="actions"><a class="button" href="${pathTo("sign-in")}">${text("signOut.again")}</a></p></section>`;
  return showPage({ title: text("signOut.doneTitle"), body }, 200, cookies);
}
