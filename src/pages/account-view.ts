/** The account page as it looks: sign-in steps, recovery codes, devices, sessions, the place. */
import { describeBrowser } from "../look/browsers.ts";
import { facts, notice, table } from "../look/displays.ts";
import { button } from "../look/forms.ts";
import { type Html, html } from "../look/html.ts";
import type { RememberedDevice } from "../person/devices.ts";
import type { LiveSession } from "../person/session-record.ts";
import type { FactorView } from "../person/user-view.ts";
import { PAGE_SCRIPT } from "./assets.ts";
import { postForm } from "./page-form.ts";
import { newPasswordField } from "./passwords.ts";
import { type Answer, type Call, pathTo, showPage } from "./route.ts";
import { accountNav } from "./visitor.ts";
import { moment } from "./wording.ts";

export interface AccountView {
  readonly session: LiveSession;
  readonly factors: readonly FactorView[];
  readonly recoveryCodesLeft: number;
  /** Newest first. */
  readonly sessions: readonly LiveSession[];
  readonly devices: readonly RememberedDevice[];
  /** The sign-in is recent enough to change what proves the person. */
  readonly fresh: boolean;
  readonly passwordError: string | undefined;
}

export function showAccount(call: Call, view: AccountView): Answer {
  const { text } = call;
  const { passwordError } = view;
  const body = html`<section class="panel"><h1>${text("account.title")}</h1>
${facts([
  [text("account.login"), view.session.email],
  [text("page.address"), call.visit.address.text],
])}
<p class="quiet">${text(placeText(call))}</p>
<p class="actions"><a class="button" href="/">${text("account.onward")}</a></p></section>
${factorsPanel(call, view)}${recoveryPanel(call, view)}${devicesPanel(call, view)}${sessionsPanel(call, view)}${passwordPanel(call, view)}`;
  const nav = accountNav(call, "account", view.session);
  const content = { title: text("account.title"), body, nav, width: "wide" as const, scripts: [PAGE_SCRIPT.path] };
  return showPage(content, passwordError === undefined ? 200 : 422);
}

function placeText({ visit }: Call) {
  if (visit.located) return "account.placeListed" as const;
  return visit.tenant.policy.network === "off" ? ("account.placeFree" as const) : ("account.placeUnlisted" as const);
}

/** Shown instead of a form that would be refused for want of a recent proof. */
function proveFirst({ text }: Call): Html {
  return html`${notice("plain", text("account.proveWhy"))}<p class="actions"><a class="button secondary" href="${pathTo("sign-in", { fresh: "1" })}">${text("account.prove")}</a></p>`;
}

function factorsPanel(call: Call, { factors, fresh }: AccountView): Html {
  const { text } = call;
  const columns = [text("account.factor"), text("account.added"), text("account.lastUsed"), ...(fresh ? [""] : [])];
  const rows = factors.map((factor) => [
    html`${factor.name}${kindUnder(call, factor)}`,
    moment(call, factor.createdAt),
    factor.lastUsedAt === undefined ? text("account.never") : moment(call, factor.lastUsedAt),
    ...(fresh ? [factorActions(call, factor)] : []),
  ]);
  return html`<section class="panel">${factors.length === 0 ? html`<h2>${text("account.factors")}</h2><p class="empty">${text("account.noFactors")}</p>` : table(text("account.factors"), columns, rows)}
${fresh ? html`<p class="actions"><a class="button secondary" href="${pathTo("enrol")}">${text("account.addFactor")}</a></p>` : proveFirst(call)}</section>`;
}

/** What it is, unless its name says so. */
function kindUnder({ text }: Call, { kind, name }: FactorView): Html | false {
  const label = text(`factor.${kind}`);
  return name !== label && html`<small class="under">${label}</small>`;
}

function factorActions(call: Call, { id, name }: FactorView): Html {
  const { text } = call;
  const remove = html`<button class="link-button" type="submit">${text("account.remove")}<span class="visually-hidden"> ${name}</span></button>`;
  return html`<div class="row-actions"><details><summary>${text("account.rename")}<span class="visually-hidden"> ${name}</span></summary>${postForm(
    call,
    { path: "account/rename-factor", hidden: { id } },
    html`<div class="field"><label for="name-${id}">${text("enrol.name")}</label><input id="name-${id}" name="name" value="${name}" maxlength="60" autocomplete="off" required></div>${button(text("account.save"), { kind: "secondary" })}`,
  )}</details>${postForm(call, { path: "account/remove-factor", hidden: { id } }, remove)}</div>`;
}

function recoveryPanel(call: Call, { factors, recoveryCodesLeft, fresh }: AccountView): Html | false {
  const { text } = call;
  const renew = postForm(
    call,
    { path: "account/recovery-codes" },
    html`<p class="actions">${button(text("recovery.renew"), { kind: "secondary" })}</p>`,
  );
  return (
    factors.length > 0 &&
    html`<section class="panel"><h2>${text("recovery.heading")}</h2><p>${text("recovery.left", { count: recoveryCodesLeft })}</p>
<p class="quiet">${text("recovery.renewHow")}</p>${fresh && renew}</section>`
  );
}

function devicesPanel(call: Call, { devices }: AccountView): Html | false {
  const { text } = call;
  const columns = [text("account.browser"), text("account.place"), text("account.until"), ""];
  const rows = devices.map(({ id, userAgent, address, expiresAtMs }) => [
    describeBrowser(text, userAgent),
    address,
    moment(call, expiresAtMs),
    endForm(call, "account/forget-device", id, text("account.forget"), describeBrowser(text, userAgent)),
  ]);
  return devices.length > 0 && html`<section class="panel">${table(text("account.devices"), columns, rows)}</section>`;
}

function sessionsPanel(call: Call, { session, sessions }: AccountView): Html {
  const { text } = call;
  const columns = [text("account.browser"), text("account.place"), text("account.since"), text("account.lastSeen"), ""];
  const rows = sessions.map((one) => [
    html`${describeBrowser(text, one.userAgent)}${one.id === session.id && html` <strong class="tag">${text("account.thisOne")}</strong>`}`,
    one.address,
    moment(call, one.startedAtMs),
    moment(call, one.lastSeenAtMs),
    one.id !== session.id && endForm(call, "account/end-session", one.id, text("account.end"), one.address),
  ]);
  const everywhere = button(text("signOut.all"), { kind: "danger", name: "all", value: "yes" });
  return html`<section class="panel">${table(text("account.sessions"), columns, rows)}
${postForm(call, { path: "sign-out" }, html`<p class="actions">${everywhere}</p>`)}</section>`;
}

function endForm(call: Call, path: string, id: string, label: string, what: string): Html {
  const end = html`<button class="link-button" type="submit">${label}<span class="visually-hidden"> ${what}</span></button>`;
  return html`<div class="row-actions">${postForm(call, { path, hidden: { id } }, end)}</div>`;
}

function passwordPanel(call: Call, { session, fresh, passwordError }: AccountView): Html | false {
  const { text, visit } = call;
  const body = html`${newPasswordField(call, session.email, passwordError)}<p class="actions">${button(text("password.set"), { kind: "secondary" })}</p>`;
  return (
    visit.tenant.policy.firstFactor === "password" &&
    fresh &&
    html`<section class="panel"><h2>${text("password.change")}</h2><p>${text("password.changeHow")}</p>${postForm(call, { path: "account/password" }, body)}</section>`
  );
}
