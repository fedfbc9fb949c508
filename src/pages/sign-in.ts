/** The first step: who it is, by password, by e-mail alone, or by a passkey that does both steps at once. */

import { notice } from "../look/displays.ts";
import { button, errorSummary, type FormError, field } from "../look/forms.ts";
import { html, raw } from "../look/html.ts";
import type { PlainKey } from "../look/language.ts";
import { PASSKEY_SCRIPTS } from "./assets.ts";
import { doorHead } from "./door-head.ts";
import { afterOutcome } from "./outcome.ts";
import { passkeyForm, postForm } from "./page-form.ts";
import type { PersonPages } from "./person-pages.ts";
import { type Answer, answerJson, type Call, pathTo, type Route, redirectTo, showPage, tooMany } from "./route.ts";
import { sessionOf } from "./visitor.ts";
import { throttledText } from "./wording.ts";

const FIELDS = ["to", "fresh", "c"] as const;

export function signInRoutes(pages: PersonPages): Route[] {
  return [
    { method: "GET", path: "begin", handle: (call) => begin(call, pages) },
    { method: "GET", path: "sign-in", handle: (call) => showSignIn(call, pages) },
    {
      method: "POST",
      path: "sign-in",
      fields: [...FIELDS, "email", "password"],
      handle: (call) => identify(call, pages),
    },
    { method: "JSON", path: "sign-in/passkey", fields: FIELDS, handle: (call) => requestPasskey(call, pages) },
  ];
}

/** Where the edge sends a navigation that has no session: the way back becomes an opaque id. */
function begin({ visit, wanted }: Call, { waysBack }: PersonPages): Answer {
  const { browser } = visit.cookies;
  const to = browser === undefined || wanted === undefined ? undefined : waysBack.seal(visit, browser, wanted);
  return redirectTo(pathTo("sign-in", { to }));
}

interface Failure {
  readonly status: number;
  readonly error: FormError;
  readonly challenge: string;
}

async function showSignIn(call: Call, pages: PersonPages, failure?: Failure): Promise<Answer> {
  const { visit, text, query, form } = call;
  const { policy } = visit.tenant;
  const asksPassword = policy.firstFactor === "password";
  const hidden = { to: form["to"] ?? query["to"], fresh: form["fresh"] ?? query["fresh"], c: failure?.challenge };
  const who = await provingEmail(call, pages, hidden.fresh);
  const email = field({
    name: "email",
    label: text("signIn.email"),
    type: "email",
    value: who ?? form["email"],
    attributes: html`autocomplete="username webauthn" autocapitalize="off" spellcheck="false" ${who === undefined ? raw`autofocus` : raw`readonly`}`,
  });
  const password = field({
    name: "password",
    label: text("signIn.password"),
    type: "password",
    attributes: html`autocomplete="current-password" maxlength="512" ${who !== undefined && raw`autofocus`}`,
  });
  const body = html`<section class="panel">${doorHead(call)}
<h1>${text(hidden.fresh === undefined ? "signIn.title" : "signIn.freshTitle")}</h1>
${errorSummary(text, failure === undefined ? [] : [failure.error])}
${hidden.fresh !== undefined && notice("plain", text(whyProve(call, pages, hidden.to)))}
${postForm(
  call,
  { path: "sign-in", hidden },
  html`${email}${asksPassword && password}<p class="actions">${button(text("form.continue"))}</p>`,
)}
${asksPassword && html`<p><a href="${pathTo("forgot-password")}">${text("signIn.forgot")}</a></p>`}
${
  policy.factors.includes("passkey") &&
  html`<div class="way-out" data-needs-passkey><h2>${text("signIn.passkeyHeading")}</h2>${passkeyForm(call, {
    path: "verify",
    begin: "sign-in/passkey",
    tells: FIELDS,
    ceremony: "get",
    label: text("signIn.passkey"),
    kind: "secondary",
    hidden: { ...hidden, m: "passkey", c: "" },
  })}</div>`
}</section>`;
  return showPage({ title: text("signIn.title"), body, scripts: PASSKEY_SCRIPTS }, failure?.status);
}

/** Whoever is signed in and gives a recent proof: another login is not what this is about. */
async function provingEmail(call: Call, pages: PersonPages, fresh: string | undefined): Promise<string | undefined> {
  return fresh === undefined ? undefined : (await sessionOf(call, pages))?.email;
}

/** What the proof is for, by where it leads. */
function whyProve({ visit }: Call, { waysBack }: PersonPages, to: string | undefined): PlainKey {
  return waysBack.open(visit, to).startsWith(pathTo("portal")) ? "signIn.freshPortal" : "signIn.fresh";
}

async function identify(call: Call, pages: PersonPages): Promise<Answer> {
  const { visit, text, form } = call;
  const challenge = await currentChallenge(call, pages);
  const email = (await provingEmail(call, pages, form["fresh"])) ?? form["email"];
  const outcome = await pages.person.signIn.identify(visit, challenge, { email, password: form["password"] });
  if (outcome.kind === "refused") {
    const key = visit.tenant.policy.firstFactor === "password" ? "signIn.refused" : "signIn.noEmail";
    return await showSignIn(call, pages, { status: 422, error: { field: "email", message: text(key) }, challenge });
  }
  if (outcome.kind === "throttled") {
    const error = { message: throttledText(text, outcome.retryAfterMs) };
    return tooMany(await showSignIn(call, pages, { status: 429, error, challenge }), outcome.retryAfterMs);
  }
  return afterOutcome(call, outcome);
}

async function requestPasskey(call: Call, pages: PersonPages): Promise<Answer> {
  const challenge = await currentChallenge(call, pages);
  const options = await pages.person.proofRequests.requestPasskey(call.visit, challenge);
  return options === undefined ? answerJson({}, 410) : answerJson({ options, fields: { c: challenge } });
}

/** The challenge that the form goes on with while it lives, or a new one. Only a post makes one. */
async function currentChallenge({ visit, form }: Call, { person, waysBack }: PersonPages): Promise<string> {
  const step = await person.signIn.show(visit, form["c"]);
  if (step?.stage === "identify") return step.challenge;
  const asked = waysBack.open(visit, form["to"]);
  const wayBack = form["fresh"] !== undefined && asked === "/" ? pathTo("account") : asked;
  const begun = await person.signIn.begin(visit, { wayBack, fresh: form["fresh"] !== undefined });
  return begun.step.challenge;
}
