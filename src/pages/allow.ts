/** `allow/{token}`: a whitelist link or a shortcut opened (which changes nothing), and confirmed by a post. */
import { facts, notice } from "../look/displays.ts";
import { button } from "../look/forms.ts";
import { type Html, html, raw } from "../look/html.ts";
import type { SignedInUser } from "../whitelist/door.ts";
import type { Opened, Used } from "../whitelist/outcome.ts";
import { COMPANION_SCRIPTS, PAGE_SCRIPT } from "./assets.ts";
import { postForm } from "./page-form.ts";
import type { PlacePages } from "./place-pages.ts";
import { type Answer, answerText, type Call, pathTo, type Route, redirectTo, showPage, tooMany } from "./route.ts";
import { provenSession, signInPath } from "./visitor.ts";
import { moment, throttledText } from "./wording.ts";

export function allowRoutes(pages: PlacePages): Route[] {
  return [
    { method: "GET", path: "allow/:token", handle: (call) => open(call, pages) },
    { method: "POST", path: "allow/:token", open: true, handle: (call) => use(call, pages) },
  ];
}

async function open(call: Call, pages: PlacePages): Promise<Answer> {
  const { visit, token } = call;
  const opened = await pages.whitelist.door.open(visit.tenant.id, token, visit, await personOf(call, pages));
  switch (opened.kind) {
    case "open":
      return showQuestion(call, pages, opened);
    case "elsewhere":
      return showElsewhere(call);
    case "gone":
      return showGone(call, opened);
  }
}

async function use(call: Call, pages: PlacePages): Promise<Answer> {
  const { visit, token, text } = call;
  const used = await pages.whitelist.door.use(visit.tenant.id, token, visit, await personOf(call, pages));
  switch (used.kind) {
    case "admitted":
      await pages.inForce();
      return showAdmitted(call, used);
    case "sign-in":
      return call.wantsPage
        ? redirectTo(signInPath(call, pages, pathTo(`allow/${call.token}`)))
        : answerText(text("allow.signInWhy"), 401);
    case "limited":
      return tooMany(showRefusal(call, 429, throttledText(text, used.retryAfterMs)), used.retryAfterMs);
    case "full":
      return showRefusal(call, 409, text("allow.full", { tenant: visit.tenant.name }));
    case "elsewhere":
      return showElsewhere(call);
    case "gone":
      return showGone(call, used);
  }
}

/** Only a session with the second factor counts, whatever the tenant's policy asks of one. */
async function personOf(call: Call, pages: PlacePages): Promise<SignedInUser | undefined> {
  const session = await provenSession(call, pages);
  return session === undefined ? undefined : { user: session.user };
}

function showQuestion(call: Call, pages: PlacePages, opened: Extract<Opened, { kind: "open" }>): Answer {
  const { text, visit, token } = call;
  const { source, by, label } = opened;
  const tenant = visit.tenant.name;
  const attributes = by === "auto" ? html`data-send-on="yes"` : raw``;
  const act =
    by === "sign-in"
      ? html`${notice("plain", text("allow.signInWhy"))}<p class="actions"><a class="button" href="${signInPath(call, pages, pathTo(`allow/${call.token}`))}">${text("link.signIn")}</a></p>`
      : postForm(
          call,
          { path: `allow/${token}`, attributes },
          html`<p class="actions">${button(text("allow.add"))}</p>`,
        );
  const body = html`<section class="panel"><h1>${text("allow.title")}</h1>
<p>${text(source === "link" ? "allow.linkWhy" : "allow.shortcutWhy", { tenant })}</p>
${addressFacts(call, label)}${act}
<p class="quiet">${text(source === "link" ? "allow.linkHint" : "allow.shortcutHint")}</p></section>`;
  // A link acts on a click alone, so that its page runs no script at all.
  const scripts = source === "link" ? [] : [PAGE_SCRIPT.path];
  return showPage({ title: text("allow.title"), body, scripts });
}

function showAdmitted(call: Call, { entry, companion }: Extract<Used, { kind: "admitted" }>): Answer {
  const { text, visit, lang } = call;
  const tenant = visit.tenant.name;
  if (!call.wantsPage) {
    const until = entry.expiresAt === undefined ? "" : ` until ${entry.expiresAt}`;
    return answerText(`${entry.cidr} is admitted${until}`);
  }
  const other = companion === undefined ? undefined : { url: companion.url, origin: new URL(companion.url).origin };
  const body = html`<section class="panel"><h1>${text("allow.doneTitle")}</h1>
${notice("good", text("allow.done", { tenant }))}
${addressFacts(call, entry.label)}
${entry.expiresAt !== undefined && html`<p>${text("allow.until")} ${moment({ lang }, entry.expiresAt)}.</p>`}
${other && html`<p class="quiet" role="status" data-companion="${other.url}" hidden>${text("allow.companion")}</p>`}
<p class="actions"><a class="button" href="/">${text("allow.onward", { tenant })}</a></p></section>`;
  const scripts = other === undefined ? [PAGE_SCRIPT.path] : COMPANION_SCRIPTS;
  const connectTo = other === undefined ? [] : [other.origin];
  return showPage({ title: text("allow.doneTitle"), body, scripts, connectTo });
}

/** Expired, used up, deleted, of another tenant, or a bit changed: nobody learns which. */
function showGone(call: Call, { source }: Extract<Opened, { kind: "gone" }>): Answer {
  const { text, visit } = call;
  const tenant = visit.tenant.name;
  return source === "shortcut"
    ? showRefusal(call, 410, text("allow.shortcutDeadWhy", { tenant }), text("allow.shortcutDead"))
    : showRefusal(call, 410, text("link.deadWhy", { tenant }), text("link.dead"));
}

/** Which network it is made for is the clinic's affair. */
function showElsewhere(call: Call): Answer {
  const { tenant, address } = { tenant: call.visit.tenant.name, address: call.visit.address.text };
  return showRefusal(call, 403, call.text("allow.elsewhere", { tenant, address }));
}

function showRefusal(call: Call, status: number, why: string, title = call.text("allow.refusedTitle")): Answer {
  if (!call.wantsPage) return answerText(why, status);
  const again = status === 429;
  const body = html`<section class="panel"><h1>${title}</h1><p>${why}</p>
<p class="actions">${
    again
      ? html`<a class="button" href="${pathTo(`allow/${call.token}`)}">${call.text("page.tryAgain")}</a>`
      : html`<a class="button" href="${pathTo("sign-in")}">${call.text("link.signIn")}</a>`
  }</p></section>`;
  return showPage({ title, body }, status);
}

function addressFacts({ text, visit }: Call, label: string): Html {
  return html`${facts([[text("page.address"), visit.address.text]])}${label !== "" && html`<p>${text("allow.label", { label })}</p>`}`;
}
