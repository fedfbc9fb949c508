/** Where the browser goes after a step, and the pages for the two ends of a sign-in. */
import { codeList, notice, steps } from "../look/displays.ts";
import { html } from "../look/html.ts";
import type { SignedIn } from "../person/completion.ts";
import type { Outcome } from "../person/step.ts";
import { PAGE_SCRIPT } from "./assets.ts";
import { cookiesOf } from "./cookies.ts";
import { doorHead } from "./door-head.ts";
import { type Answer, type Call, type CookieChanges, pathTo, redirectTo, showPage } from "./route.ts";

/** @param cookies beside those of the sign-in itself. `refused` and `throttled` are the form's own to show. */
export function afterOutcome(call: Call, outcome: Outcome, cookies: CookieChanges = {}): Answer {
  if (outcome.kind === "signed-in") return afterSignIn(call, outcome, cookies);
  if (outcome.kind !== "continue") return showGone(call);
  const { stage, challenge } = outcome.step;
  return redirectTo(pathTo(stage === "enrol" ? "enrol" : "verify", { c: challenge }), cookies);
}

/** On to where the person wanted to go, unless there is something that they must see first. */
export function afterSignIn(call: Call, signedIn: SignedIn, more: CookieChanges = {}): Answer {
  const cookies = { ...cookiesOf(signedIn), ...more };
  const wayBack = onward(call, signedIn.wayBack);
  if (signedIn.recoveryCodes !== undefined) return showRecoveryCodes(call, signedIn.recoveryCodes, wayBack, cookies);
  if (signedIn.amr.includes("recovery") && signedIn.recoveryCodesLeft !== undefined) {
    return showFewCodes(call, signedIn.recoveryCodesLeft, wayBack, cookies);
  }
  return redirectTo(wayBack, cookies);
}

/** The application cannot be reached from a place that is not on the list: first there is the place to add. */
function onward({ visit }: Call, wayBack: string): string {
  const { network, combine } = visit.tenant.policy;
  const shut = network === "enforce" && combine === "all" && !visit.located;
  return shut && !wayBack.startsWith(pathTo("")) ? pathTo("place") : wayBack;
}

function showRecoveryCodes(call: Call, codes: readonly string[], wayBack: string, cookies: CookieChanges): Answer {
  const { text, visit } = call;
  const first = wayBack !== pathTo("account");
  const body = html`<section class="panel">${first && doorHead(call, "open")}${first && enrolSteps(call, 2)}
<h1>${text("recovery.title")}</h1>
<p class="no-print">${text("recovery.why")}</p>
<p class="print-only">${text("recovery.whose", { tenant: visit.tenant.name })}</p>
${codeList(codes)}
<p class="actions"><button class="button secondary" type="button" data-copy="${codes.join("\n")}" data-copied="${text("form.copied")}" hidden>${text("recovery.copy")}</button><button class="button secondary" type="button" data-print hidden>${text("recovery.print")}</button></p>
${notice("warn", text("recovery.once"))}
<p class="actions"><a class="button" href="${wayBack}">${text("recovery.saved")}</a></p></section>`;
  return showPage({ title: text("recovery.title"), body, scripts: [PAGE_SCRIPT.path] }, 200, cookies);
}

function showFewCodes(call: Call, left: number, wayBack: string, cookies: CookieChanges): Answer {
  const { text } = call;
  const body = html`<section class="panel">${doorHead(call, "open")}<h1>${text("recovery.fewTitle")}</h1>
<p>${text("recovery.few", { count: left })}</p>
<p class="actions"><a class="button" href="${wayBack}">${text("form.continue")}</a><a class="button secondary" href="${pathTo("account")}">${text("account.open")}</a></p></section>`;
  return showPage({ title: text("recovery.fewTitle"), body }, 200, cookies);
}

/** Expired, used up, or begun in another browser. */
export function showGone(call: Call, status = 410): Answer {
  const { text } = call;
  const body = html`<section class="panel"><h1>${text("gone.title")}</h1><p>${text("gone.why")}</p>
<p class="actions"><a class="button" href="${pathTo("sign-in")}">${text("gone.again")}</a></p></section>`;
  return showPage({ title: text("gone.title"), body }, status);
}

/** The way from an invitation to the application. @param current counts from 0 */
export function enrolSteps({ text }: Call, current: number) {
  return steps([text("enrol.stepPassword"), text("enrol.stepFactor"), text("enrol.stepRecovery")], current);
}
