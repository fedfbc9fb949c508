/** The pages that hand a factor over and have it confirmed: the QR code, the text message, the passkey's answer. */
import QRCode from "qrcode";
import { secret } from "../look/displays.ts";
import { button, codeField } from "../look/forms.ts";
import { type Html, html } from "../look/html.ts";
import { PAGE_SCRIPT } from "./assets.ts";
import { doorHead } from "./door-head.ts";
import { isMalformedCode, readJson } from "./form-fields.ts";
import { afterSignIn, enrolSteps, showGone } from "./outcome.ts";
import { postForm } from "./page-form.ts";
import type { PersonPages } from "./person-pages.ts";
import { type Answer, type Call, pathTo, type Route, redirectTo, showPage } from "./route.ts";
import { resendForm, sendingNotice, sendingOf } from "./text-message.ts";

export function confirmRoutes(pages: PersonPages): Route[] {
  return [
    { method: "GET", path: "enrol/totp", handle: (call) => showTotp(call, pages, placeIn(call.query)) },
    { method: "GET", path: "enrol/sms", handle: (call) => showSms(call, placeIn(call.query)) },
    {
      method: "POST",
      path: "enrol/confirm",
      fields: ["c", "e", "kind", "code", "response", "name"],
      handle: (call) => confirm(call, pages),
    },
    { method: "POST", path: "enrol/sms/send", fields: ["c", "e"], handle: (call) => resend(call, pages) },
  ];
}

/** Which enrolment, and under which challenge; none for one from the account page. */
interface Place {
  readonly c: string | undefined;
  readonly e: string | undefined;
}

function placeIn(fields: Readonly<Record<string, string | undefined>>): Place {
  return { c: fields["c"], e: fields["e"] };
}

interface Failure {
  readonly message: string;
  readonly status: number;
}

async function showTotp(call: Call, { person }: PersonPages, place: Place, failure?: Failure): Promise<Answer> {
  const { text, visit } = call;
  const offer = await person.enrolments.showTotp(visit, place.c, place.e);
  if (offer === undefined) return showGone(call);
  const svg = await QRCode.toString(offer.uri, { type: "svg", errorCorrectionLevel: "M", margin: 2 });
  const picture = `data:image/svg+xml;base64,${Buffer.from(svg).toString("base64")}`;
  const key = offer.secretText.replaceAll(" ", "");
  const content = html`<ol class="how"><li>${text("enrol.totpScan")}</li><li>${text("enrol.totpConfirm")}</li></ol>
<img class="qr" src="${picture}" width="208" height="208" alt="${text("enrol.totpPicture")}">
<h2>${text("enrol.totpTyped")}</h2><p>${text("enrol.totpTypedHow", { tenant: visit.tenant.name })}</p>${secret(key)}
<p class="actions"><button class="button secondary" type="button" data-copy="${key}" data-copied="${text("form.copied")}" hidden>${text("enrol.totpCopy")}</button><a class="button secondary" href="${offer.uri}">${text("enrol.totpOpen")}</a></p>
${confirmForm(call, place, "totp", failure)}`;
  return showEnrolment(call, place, text("enrol.totpTitle"), content, failure);
}

function showSms(call: Call, place: Place, failure?: Failure): Answer {
  const { text, query } = call;
  const sending = failure === undefined ? sendingOf(query["s"]) : undefined;
  const hidden = { c: place.c, e: place.e };
  const content = html`${sendingNotice(call, sending, text("sms.yourNumber"))}
${confirmForm(call, place, "sms", failure)}
${resendForm(call, { path: "enrol/sms/send", hidden, first: false, sending })}
<p><a href="${pathTo("enrol", { c: place.c })}">${text("enrol.otherNumber")}</a></p>`;
  return showEnrolment(call, place, text("enrol.smsTitle"), content, failure);
}

function confirmForm(call: Call, place: Place, kind: "totp" | "sms", failure: Failure | undefined): Html {
  const { text } = call;
  const error = failure?.message;
  const hint = kind === "totp" ? text("verify.totpHint") : undefined;
  const hidden = { c: place.c, e: place.e, kind };
  const body = html`${codeField({ name: "code", label: text("verify.code"), hint, error, autofocus: kind === "sms" || error !== undefined })}<p class="actions">${button(text("enrol.confirm"))}</p>`;
  return postForm(call, { path: "enrol/confirm", hidden }, body);
}

function showEnrolment(call: Call, place: Place, title: string, content: Html, failure?: Failure): Answer {
  const first = place.c !== undefined;
  const body = html`<section class="panel">${first && doorHead(call)}${first && enrolSteps(call, 1)}
<h1>${title}</h1>${content}</section>`;
  return showPage({ title, body, scripts: [PAGE_SCRIPT.path] }, failure?.status);
}

async function confirm(call: Call, pages: PersonPages): Promise<Answer> {
  const { text, form } = call;
  const place = placeIn(form);
  const proof = form["kind"] === "passkey" ? { response: readJson(form["response"]) } : { code: form["code"] };
  const outcome = await pages.person.enrolments
    .confirm(call.visit, place.c, place.e, proof)
    .catch((error: unknown) => (isMalformedCode(error) ? { kind: "malformed" as const } : Promise.reject(error)));
  if (outcome.kind === "signed-in") return afterSignIn(call, outcome);
  if (outcome.kind === "gone") return showGone(call);
  const failure = (message: string): Failure =>
    outcome.kind === "malformed" ? { message: text("verify.codeMalformed"), status: 400 } : { message, status: 422 };
  if (form["kind"] === "totp") return await showTotp(call, pages, place, failure(text("enrol.totpRefused")));
  if (form["kind"] === "sms") return showSms(call, place, failure(text("verify.smsRefused")));
  return showGone(call);
}

async function resend(call: Call, { person }: PersonPages): Promise<Answer> {
  const { c, e } = call.form;
  const sending = await person.enrolments.resendSms(call.visit, c, e);
  if (sending === undefined) return showGone(call);
  return redirectTo(pathTo("enrol/sms", { c, e, s: sending.sent ? "sent" : sending.reason }));
}
