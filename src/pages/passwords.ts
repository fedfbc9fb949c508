/** Choosing a password: from an invitation, from a reset mail, and asking for one. */

import { SallyportError } from "../core/errors.ts";
import { facts, notice } from "../look/displays.ts";
import { button, field } from "../look/forms.ts";
import { type Html, html, raw } from "../look/html.ts";
import { doorHead } from "./door-head.ts";
import { afterOutcome, enrolSteps } from "./outcome.ts";
import { postForm } from "./page-form.ts";
import type { PersonPages } from "./person-pages.ts";
import { type Answer, type Call, pathTo, type Route, showPage } from "./route.ts";

type Purpose = "invite" | "reset";

export function passwordRoutes(pages: PersonPages): Route[] {
  const link = (purpose: Purpose): Route[] => [
    { method: "GET", path: `${purpose}/:token`, handle: (call) => showLink(call, pages, purpose) },
    {
      method: "POST",
      path: `${purpose}/:token`,
      fields: ["email", "password"],
      handle: (call) => accept(call, pages, purpose),
    },
  ];
  return [
    ...link("invite"),
    ...link("reset"),
    { method: "GET", path: "forgot-password", handle: (call) => showForgot(call) },
    { method: "POST", path: "forgot-password", fields: ["email"], handle: (call) => forgot(call, pages) },
  ];
}

/** A link that is used up, expired, void or made up: the same page for all of them. */
function showDead(call: Call, purpose: Purpose): Answer {
  const { text, visit } = call;
  const again = purpose === "reset" && visit.tenant.policy.firstFactor === "password";
  const why = again ? text("reset.deadWhy") : text("invite.deadWhy", { tenant: visit.tenant.name });
  const body = html`<section class="panel"><h1>${text("link.dead")}</h1><p>${why}</p>
<p class="actions">${again && html`<a class="button" href="${pathTo("forgot-password")}">${text("reset.again")}</a>`}<a class="button${again && " secondary"}" href="${pathTo("sign-in")}">${text("link.signIn")}</a></p></section>`;
  return showPage({ title: text("link.dead"), body }, 410);
}

async function showLink(call: Call, { person }: PersonPages, purpose: Purpose, message?: string): Promise<Answer> {
  const { text, visit, token } = call;
  const live = await person.invitations.show(visit, purpose, token);
  if (live === undefined) return showDead(call, purpose);
  const asks = visit.tenant.policy.firstFactor === "password";
  const title = text(purpose === "reset" ? "reset.title" : "invite.title");
  const body = html`<section class="panel">${doorHead(call)}${purpose === "invite" && enrolSteps(call, 0)}
<h1>${title}</h1>
<p>${text(purpose === "reset" ? "reset.why" : "invite.why", { tenant: visit.tenant.name })}</p>
${facts([[text("account.login"), live.email]])}
${postForm(
  call,
  { path: `${purpose}/${token}` },
  html`${asks && newPasswordField(call, live.email, message)}<p class="actions">${button(text(asks ? "password.set" : "form.continue"))}</p>`,
)}</section>`;
  return showPage({ title, body }, message === undefined ? 200 : 422);
}

/** With the login beside it, so that password managers store the two together. */
export function newPasswordField({ text }: Pick<Call, "text">, email: string, error: string | undefined): Html {
  const password = field({
    name: "password",
    label: text("password.new"),
    type: "password",
    hint: text("password.hint"),
    error,
    attributes: html`autocomplete="new-password" minlength="12" maxlength="512" ${error !== undefined && raw`autofocus`}`,
  });
  return html`<input type="text" name="email" value="${email}" autocomplete="username" hidden>${password}`;
}

async function accept(call: Call, { person, ...pages }: PersonPages, purpose: Purpose): Promise<Answer> {
  try {
    const accepted = await person.invitations.accept(call.visit, purpose, call.token, call.form["password"]);
    if (accepted.kind === "gone") return showDead(call, purpose);
    return afterOutcome(call, accepted, accepted.browser === undefined ? {} : { browser: accepted.browser });
  } catch (error) {
    if (!isRefusedPassword(error)) throw error;
    return await showLink(call, { person, ...pages }, purpose, call.text("password.refused"));
  }
}

export function isRefusedPassword(error: unknown): boolean {
  return error instanceof SallyportError && error.code === "password_refused";
}

function showForgot(call: Call): Answer {
  const { text } = call;
  const email = field({
    name: "email",
    label: text("signIn.email"),
    type: "email",
    attributes: html`autocomplete="username" autocapitalize="off" spellcheck="false" autofocus`,
  });
  const body = html`<section class="panel"><h1>${text("forgot.title")}</h1><p>${text("forgot.why")}</p>
${postForm(call, { path: "forgot-password" }, html`${email}<p class="actions">${button(text("forgot.send"))}</p>`)}
<p><a href="${pathTo("sign-in")}">${text("link.signIn")}</a></p></section>`;
  return showPage({ title: text("forgot.title"), body });
}

/** The same answer whether there is such a login or not. */
async function forgot(call: Call, { person }: PersonPages): Promise<Answer> {
  const { text, visit } = call;
  await person.invitations.requestReset(visit, call.form["email"]);
  const body = html`<section class="panel"><h1>${text("forgot.sentTitle")}</h1>${notice("good", text("forgot.sent"))}
<p>${text("forgot.nothing", { tenant: visit.tenant.name })}</p>
<p class="actions"><a class="button" href="${pathTo("sign-in")}">${text("link.signIn")}</a></p></section>`;
  return showPage({ title: text("forgot.sentTitle"), body });
}
