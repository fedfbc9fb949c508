/** Setting up a factor: choose its kind, take it over, confirm it by a proof. At a first sign-in and from the account page. */

import { SallyportError } from "../core/errors.ts";
import type { Factor } from "../core/tenant.ts";
import { notice } from "../look/displays.ts";
import { button, field } from "../look/forms.ts";
import { type Html, html } from "../look/html.ts";
import { isFresh } from "../person/grants.ts";
import { PASSKEY_SCRIPTS } from "./assets.ts";
import { doorHead } from "./door-head.ts";
import { confirmRoutes } from "./enrol-confirm.ts";
import { afterOutcome, enrolSteps, showGone } from "./outcome.ts";
import { passkeyForm, postForm } from "./page-form.ts";
import type { PersonPages } from "./person-pages.ts";
import { type Answer, answerJson, type Call, pathTo, type Route, redirectTo, showPage } from "./route.ts";
import { withSession } from "./visitor.ts";

export function enrolRoutes(pages: PersonPages): Route[] {
  return [
    { method: "GET", path: "enrol", handle: (call) => choose(call, pages, call.query["c"]) },
    { method: "POST", path: "enrol/totp/begin", fields: ["c", "name"], handle: (call) => beginTotp(call, pages) },
    {
      method: "POST",
      path: "enrol/sms/begin",
      fields: ["c", "name", "number"],
      handle: (call) => beginSms(call, pages),
    },
    {
      method: "JSON",
      path: "enrol/passkey/begin",
      fields: ["c", "name"],
      handle: (call) => beginPasskey(call, pages),
    },
    ...confirmRoutes(pages),
  ];
}

/** What can be set up now, and what else the page must know. */
interface Offer {
  readonly kinds: readonly Factor[];
  /** Of a first sign-in; `undefined`: from the account page. */
  readonly challenge: string | undefined;
  readonly numberError?: string;
}

async function choose(
  call: Call,
  pages: PersonPages,
  challenge: string | undefined,
  numberError?: string,
): Promise<Answer> {
  const error = numberError === undefined ? {} : { numberError };
  if (challenge === undefined) {
    return await withSession(call, pages, async (session) => {
      if (!isFresh(session, call.nowMs)) return redirectTo(pathTo("sign-in", { fresh: "1" }));
      const { factors } = await pages.person.selfService.factors(session);
      const strong = factors.some(({ kind }) => kind !== "sms");
      return showChoice(call, { kinds: kindsFor(call, pages, strong), challenge, ...error });
    });
  }
  const step = await pages.person.signIn.show(call.visit, challenge);
  if (step === undefined || step.stage === "identify") return showGone(call);
  if (step.stage === "factor") return afterOutcome(call, { kind: "continue", step });
  return showChoice(call, { kinds: kindsFor(call, pages, false), challenge, ...error });
}

/** A text message is only a second way, unless the clinic accepts nothing stronger. */
function kindsFor({ visit }: Call, { textMessages }: PersonPages, hasStrong: boolean): Factor[] {
  const { factors } = visit.tenant.policy;
  const strongest = factors.every((kind) => kind === "sms");
  return [...new Set(factors)].filter((kind) => kind !== "sms" || (textMessages && (hasStrong || strongest)));
}

function showChoice(call: Call, offer: Offer): Answer {
  const { text, visit } = call;
  const first = offer.challenge !== undefined;
  const title = text(first ? "enrol.title" : "enrol.addTitle");
  const body = html`<section class="panel">${first && doorHead(call)}${first && enrolSteps(call, 1)}
<h1>${title}</h1>
<p>${first ? text("enrol.why", { tenant: visit.tenant.name }) : text("enrol.addWhy")}</p>
${offer.kinds.length === 0 && notice("warn", text("enrol.none"))}
${offer.kinds.map((kind) => html`<div class="way-out"><h2>${text(`factor.${kind}`)}</h2><p>${text(`enrol.${kind}`)}</p>${KIND_FORMS[kind](call, offer)}</div>`)}
${!first && html`<p><a href="${pathTo("account")}">${text("account.back")}</a></p>`}</section>`;
  return showPage({ title, body, scripts: PASSKEY_SCRIPTS }, offer.numberError === undefined ? 200 : 422);
}

const KIND_FORMS: Readonly<Record<Factor, (call: Call, offer: Offer) => Html>> = {
  totp: (call, offer) => {
    const inputs = html`${nameField(call, offer, "totp")}<p class="actions">${button(call.text("enrol.totpBegin"), { kind: weight(offer, "totp") })}</p>`;
    return postForm(call, { path: "enrol/totp/begin", hidden: { c: offer.challenge } }, inputs);
  },
  sms: (call, offer) => {
    const number = field({
      name: "number",
      label: call.text("enrol.number"),
      type: "tel",
      hint: call.text("enrol.numberHint"),
      value: call.form["number"],
      error: offer.numberError,
      attributes: html`autocomplete="tel" maxlength="40"`,
    });
    const body = html`${number}<p class="actions">${button(call.text("sms.sendCode"), { kind: weight(offer, "sms") })}</p>`;
    return postForm(call, { path: "enrol/sms/begin", hidden: { c: offer.challenge } }, body);
  },
  passkey: (call, offer) =>
    passkeyForm(call, {
      path: "enrol/confirm",
      begin: "enrol/passkey/begin",
      tells: ["c", "name"],
      ceremony: "create",
      label: call.text("enrol.passkeyBegin"),
      kind: weight(offer, "passkey"),
      hidden: { c: offer.challenge, e: "", kind: "passkey" },
      inputs: html`${nameField(call, offer, "passkey")}`,
    }),
};

/** One button stands out: the first way that the clinic names. */
function weight({ kinds }: Offer, kind: Factor): "primary" | "secondary" {
  return kinds[0] === kind ? "primary" : "secondary";
}

/** A name helps once there are several; the first is named by itself. */
function nameField({ text }: Call, { challenge }: Offer, kind: Factor): Html | false {
  const attributes = html`id="name-${kind}" maxlength="60" autocomplete="off" placeholder="${text(`enrol.${kind}Example`)}"`;
  return (
    challenge === undefined &&
    html`<div class="field"><label for="name-${kind}">${text("enrol.name")}</label><input name="name" ${attributes}></div>`
  );
}

async function beginTotp(call: Call, { person }: PersonPages): Promise<Answer> {
  const { c, name } = call.form;
  const { enrolment } = await person.enrolments.beginTotp(call.visit, c, name);
  return redirectTo(pathTo("enrol/totp", { c, e: enrolment }));
}

async function beginSms(call: Call, pages: PersonPages): Promise<Answer> {
  const { c, name, number } = call.form;
  try {
    const begun = await pages.person.enrolments.beginSms(call.visit, c, number, name);
    return redirectTo(pathTo("enrol/sms", { c, e: begun.enrolment, s: begun.sent ? "sent" : begun.reason }));
  } catch (error) {
    if (!(error instanceof SallyportError) || error.code !== "number_invalid") throw error;
    return await choose(call, pages, c, call.text("enrol.numberMalformed"));
  }
}

async function beginPasskey(call: Call, { person }: PersonPages): Promise<Answer> {
  const { c, name } = call.form;
  const { enrolment, options } = await person.enrolments.beginPasskey(call.visit, c, name);
  return answerJson({ options, fields: { e: enrolment } });
}
