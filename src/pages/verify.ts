/** The second step: a code, a passkey or a recovery code, whichever of their own the person chooses. */
import { button, checkbox, codeField, errorSummary, type FieldOptions, type FormError, field } from "../look/forms.ts";
import { type Html, html } from "../look/html.ts";
import type { ProofInput } from "../person/proofs.ts";
import type { Choice, Step } from "../person/step.ts";
import { PAGE_SCRIPT, PASSKEY_SCRIPTS } from "./assets.ts";
import { doorHead } from "./door-head.ts";
import { isMalformedCode, readJson } from "./form-fields.ts";
import { afterOutcome, showGone } from "./outcome.ts";
import { passkeyForm, postForm } from "./page-form.ts";
import type { PersonPages } from "./person-pages.ts";
import { type Answer, answerJson, type Call, pathTo, type Route, redirectTo, showPage, tooMany } from "./route.ts";
import { resendForm, sendingNotice, sendingOf } from "./text-message.ts";
import { throttledText, waitText } from "./wording.ts";

export function verifyRoutes(pages: PersonPages): Route[] {
  return [
    { method: "GET", path: "verify", handle: (call) => show(call, pages) },
    {
      method: "POST",
      path: "verify",
      fields: ["to", "fresh", "c", "m", "code", "response", "remember"],
      handle: (call) => verify(call, pages),
    },
    { method: "POST", path: "verify/send", fields: ["c", "m"], handle: (call) => send(call, pages) },
    { method: "JSON", path: "verify/passkey", fields: ["c"], handle: (call) => requestPasskey(call, pages) },
  ];
}

/** A choice's name in addresses and forms: its kind, and the factor where there are several of that kind. */
function nameOf({ kind, factor }: Choice): string {
  return factor === undefined ? kind : `${kind}.${factor}`;
}

async function show(call: Call, { person }: PersonPages): Promise<Answer> {
  const step = await person.signIn.show(call.visit, call.query["c"]);
  if (step === undefined || step.stage === "identify") return showGone(call);
  if (step.stage === "enrol") return redirectTo(pathTo("enrol", { c: step.challenge }));
  return showStep(call, step, call.query["m"]);
}

function showStep(
  call: Call,
  step: Step,
  wanted: string | undefined,
  failure?: { error: FormError; status: number },
): Answer {
  const { text } = call;
  const choice = step.choices.find((one) => nameOf(one) === wanted) ?? step.choices[0];
  const title = choice === undefined ? text("verify.nothing") : text(TITLES[choice.kind]);
  const others = step.choices.filter((one) => one !== choice);
  const body = html`<section class="panel">${doorHead(call)}
<h1>${title}</h1>
${failure !== undefined && failure.error.field === undefined && errorSummary(text, [failure.error])}
${choice === undefined ? html`<p>${text("verify.nothingWhy")}</p>` : proofForms(call, step, choice, failure?.error)}
${
  others.length > 0 &&
  html`<div class="way-out"><h2>${text("verify.others")}</h2><ul class="ways">${others.map(
    (one) =>
      html`<li><a href="${pathTo("verify", { c: step.challenge, m: nameOf(one) })}">${choiceLabel(call, one)}</a></li>`,
  )}</ul></div>`
}
<p class="quiet">${step.email !== undefined && text("verify.as", { email: step.email })} <a href="${pathTo("sign-in")}">${text("verify.startAgain")}</a></p></section>`;
  const scripts = choice?.kind === "passkey" ? PASSKEY_SCRIPTS : [PAGE_SCRIPT.path];
  return showPage({ title, body, scripts }, failure?.status);
}

const TITLES = {
  totp: "verify.totp",
  sms: "verify.sms",
  passkey: "verify.passkey",
  recovery: "verify.recovery",
} as const;

function choiceLabel({ text }: Call, { kind, hint }: Choice): string {
  return hint === undefined ? text(`factor.${kind}`) : `${text(`factor.${kind}`)} ${hint}`;
}

function proofForms(call: Call, step: Step, choice: Choice, error: FormError | undefined): Html {
  const { text, query } = call;
  const hidden = { c: step.challenge, m: nameOf(choice) };
  if (choice.kind === "passkey") {
    const inputs = html`<p>${text("verify.passkeyHow")}</p>${rememberBox(call)}`;
    const label = text("verify.passkeyUse");
    return passkeyForm(call, {
      path: "verify",
      begin: "verify/passkey",
      tells: ["c"],
      ceremony: "get",
      label,
      hidden,
      inputs,
    });
  }
  if (choice.kind !== "sms") return codeForm(call, hidden, choice, error);
  const sending = sendingOf(query["s"]);
  const unsent = sending === undefined && error === undefined;
  const number = choice.hint ?? text("sms.yourNumber");
  return html`${sendingNotice(call, sending, number)}
${unsent ? html`<p>${text("verify.smsHow", { number })}</p>` : codeForm(call, hidden, choice, error)}
${resendForm(call, { path: "verify/send", hidden, first: unsent, sending })}`;
}

function codeForm(call: Call, hidden: Record<string, string>, { kind }: Choice, error: FormError | undefined): Html {
  const { text } = call;
  const shared = { name: "code", error: error?.field === "code" ? error.message : undefined };
  const input =
    kind === "recovery"
      ? recoveryField({ ...shared, label: text("factor.recovery"), hint: text("verify.recoveryHint") })
      : codeField({
          ...shared,
          autofocus: true,
          label: text("verify.code"),
          hint: kind === "totp" ? text("verify.totpHint") : undefined,
        });
  const body = html`${input}${rememberBox(call)}<p class="actions">${button(text("verify.send"))}</p>`;
  return postForm(call, { path: "verify", hidden }, body);
}

function recoveryField(options: Pick<FieldOptions, "name" | "label" | "hint" | "error">): Html {
  const attributes = html`class="mono" autofocus autocomplete="off" autocapitalize="off" spellcheck="false" maxlength="40"`;
  return field({ ...options, attributes });
}

function rememberBox({ visit, text }: Call): Html | false {
  const seconds = visit.tenant.policy.session.rememberDeviceSeconds;
  return seconds > 0 && checkbox("remember", text("verify.remember", { wait: waitText(text, seconds * 1000) }));
}

async function verify(call: Call, { person }: PersonPages): Promise<Answer> {
  const { visit, text, form } = call;
  const { c, m = "", code } = form;
  const input = proofOf(m, code, form["response"]);
  if (input === undefined) return showGone(call);
  const step = await person.signIn.show(visit, c);
  if (step === undefined || step.stage === "enrol") return showGone(call);
  const outcome = await person.signIn
    .verify(visit, c, input, form["remember"] === "yes")
    .catch((error: unknown) => (isMalformedCode(error) ? { kind: "malformed" as const } : Promise.reject(error)));
  const failed = (message: string, status = 422) => {
    // A passkey that was the only step has no second step's page to show.
    if (step.stage === "identify") return showGone(call);
    const field = input.kind === "passkey" ? {} : { field: "code" };
    return showStep(call, step, m, { error: { ...field, message }, status });
  };
  if (outcome.kind === "malformed") {
    return failed(text(input.kind === "recovery" ? "verify.recoveryMalformed" : "verify.codeMalformed"), 400);
  }
  if (outcome.kind === "throttled") {
    return tooMany(failed(throttledText(text, outcome.retryAfterMs), 429), outcome.retryAfterMs);
  }
  if (outcome.kind === "refused") return failed(text(REFUSED[input.kind]));
  return afterOutcome(call, outcome);
}

const REFUSED = {
  totp: "verify.totpRefused",
  sms: "verify.smsRefused",
  passkey: "verify.passkeyRefused",
  recovery: "verify.recoveryRefused",
} as const;

function proofOf(method: string, code: unknown, response: string | undefined): ProofInput | undefined {
  const kind = method.split(".", 1)[0];
  if (kind === "passkey") return { kind, response: readJson(response) };
  return kind === "totp" || kind === "sms" || kind === "recovery" ? { kind, code } : undefined;
}

async function send(call: Call, { person }: PersonPages): Promise<Answer> {
  const { c, m = "" } = call.form;
  const sending = await person.proofRequests.sendSms(call.visit, c, m.split(".")[1]);
  if ("kind" in sending) return showGone(call);
  return redirectTo(pathTo("verify", { c, m, s: sending.sent ? "sent" : sending.reason }));
}

async function requestPasskey(call: Call, { person }: PersonPages): Promise<Answer> {
  const options = await person.proofRequests.requestPasskey(call.visit, call.form["c"]);
  return options === undefined ? answerJson({}, 410) : answerJson({ options, fields: {} });
}
