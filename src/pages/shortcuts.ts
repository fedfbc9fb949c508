/** A person's shortcuts: making one, the forms in which it is handed over, and its end. */
import { SallyportError } from "../core/errors.ts";
import { withoutHidden } from "../core/plain-text.ts";
import { notice, table } from "../look/displays.ts";
import { button, field } from "../look/forms.ts";
import { type Html, html } from "../look/html.ts";
import type { LiveSession } from "../person/session-record.ts";
import { linuxShortcut, macShortcut, systemdUnits, windowsShortcut } from "../whitelist/handover.ts";
import { maySelfAllow } from "../whitelist/self-allow.ts";
import type { ShortcutRecord } from "../whitelist/shortcut-record.ts";
import { PAGE_SCRIPT } from "./assets.ts";
import { type Handover, handoverPanels, type ShortcutRoot } from "./handover-view.ts";
import { ICON_PATH } from "./icon.ts";
import { postForm } from "./page-form.ts";
import type { PlacePages } from "./place-pages.ts";
import { type Answer, type Call, pathTo, type Route, redirectTo, showPage } from "./route.ts";
import { accountNav, actorOf, showForbidden, withSession } from "./visitor.ts";
import { moment } from "./wording.ts";

export function shortcutRoutes(pages: PlacePages): Route[] {
  const mine = (work: (call: Call, session: LiveSession) => Promise<Answer>) => (call: Call) =>
    withSession(call, pages, (session) => {
      if (!maySelfAllow(call.visit.tenant.policy, session.role)) return showForbidden(call);
      return work(call, session);
    });
  return [
    { method: "GET", path: "shortcuts", handle: mine((call, session) => show(call, pages, session)) },
    {
      method: "POST",
      path: "shortcuts",
      fields: ["label"],
      handle: mine((call, session) => create(call, pages, session)),
    },
    {
      method: "POST",
      path: "shortcuts/remove",
      fields: ["id", "confirm"],
      handle: mine((call, session) => remove(call, pages, session)),
    },
    {
      method: "GET",
      path: "shortcuts/:token",
      handle: mine((call, session) => showOne(call, pages, session)),
    },
    {
      method: "GET",
      path: "shortcut-file/:token",
      handle: mine((call, session) => shortcutFile(call, (id) => ownOf(call, pages, session, id))),
    },
  ];
}

async function show(call: Call, { whitelist }: PlacePages, session: LiveSession): Promise<Answer> {
  const { text, visit } = call;
  const own = await whitelist.shortcuts.listOf(visit.tenant.id, session.user);
  const label = field({
    name: "label",
    label: text("shortcuts.label"),
    hint: text("shortcuts.labelHint"),
    attributes: html`maxlength="80" autocomplete="off"`,
  });
  const body = html`<section class="panel"><h1>${text("shortcuts.title")}</h1><p>${text("shortcuts.why")}</p>
${own.length === 0 ? html`<p class="empty">${text("shortcuts.none")}</p>` : shortcutTable(call, own, "shortcuts")}</section>
<section class="panel"><h2>${text("shortcuts.new")}</h2>
${postForm(call, { path: "shortcuts" }, html`${label}<p class="actions">${button(text("shortcuts.make"))}</p>`)}</section>`;
  return inFrame(call, session, body);
}

async function showOne(call: Call, pages: PlacePages, session: LiveSession): Promise<Answer> {
  const own = await ownOf(call, pages, session, call.token);
  const heading = html`<h1>${own.shortcut.label || call.text("shortcuts.title")}</h1>`;
  return inFrame(call, session, await handoverPanels(call, "shortcuts", own, heading));
}

function inFrame(call: Call, session: LiveSession, body: Html, status = 200): Answer {
  const nav = accountNav(call, "shortcuts", session);
  const title = call.text("shortcuts.title");
  return showPage({ title, body, nav, width: "wide", scripts: [PAGE_SCRIPT.path] }, status);
}

export function shortcutTable(
  call: Call,
  views: readonly { readonly shortcut: ShortcutRecord }[],
  root: ShortcutRoot,
): Html {
  const { text } = call;
  const columns = [
    text("shortcuts.device"),
    text("shortcuts.lastRun"),
    text("shortcuts.from"),
    text("portal.until"),
    "",
  ];
  const rows = views.map(({ shortcut: { id, label, lastRun, expiresAt } }) => [
    html`<a href="${pathTo(`${root}/${id}`)}">${label === "" ? text("portal.unnamed") : label}</a>`,
    lastRun === undefined ? text("account.never") : moment(call, lastRun.at),
    html`<span class="mono">${lastRun?.address ?? "–"}</span>`,
    moment(call, expiresAt),
    postForm(
      call,
      { path: `${root}/remove`, hidden: { id } },
      html`<button class="link-button" type="submit">${text("account.remove")}<span class="visually-hidden"> ${label}</span></button>`,
    ),
  ]);
  return table(text("shortcuts.list"), columns, rows);
}

async function create(call: Call, { whitelist }: PlacePages, session: LiveSession): Promise<Answer> {
  const input = { user: session.user, label: withoutHidden(call.form["label"] ?? "").trim() || session.email };
  const author = { actor: actorOf(call, session) };
  const { shortcut } = await whitelist.manage(() =>
    whitelist.shortcuts.planCreate(call.visit.tenant.id, input, author),
  );
  return redirectTo(pathTo(`shortcuts/${shortcut.id}`));
}

async function remove(call: Call, pages: PlacePages, session: LiveSession): Promise<Answer> {
  const { whitelist, inForce } = pages;
  const { visit, form } = call;
  const { shortcut } = await ownOf(call, pages, session, form["id"] ?? "");
  const author = { actor: actorOf(call, session) };
  const onBehalfOf = form["confirm"] === "yes" ? undefined : visit.address;
  try {
    await whitelist.manage(async () => {
      const planned = await whitelist.shortcuts.planDelete(visit.tenant.id, shortcut.id, author);
      return await whitelist.removals.guarded(visit.tenant.id, planned, { onBehalfOf });
    });
  } catch (error) {
    if (!(error instanceof SallyportError) || error.code !== "confirmation_required") throw error;
    return askFirst(call, session, shortcut.id);
  }
  await inForce();
  return redirectTo(pathTo("shortcuts"));
}

/** Nothing else admits the place where the person stands. */
function askFirst(call: Call, session: LiveSession, id: string): Answer {
  const { text, visit } = call;
  const form = postForm(
    call,
    { path: "shortcuts/remove", hidden: { id, confirm: "yes" } },
    html`<p class="actions">${button(text("portal.removeHere"), { kind: "danger" })}<a class="button" href="${pathTo("shortcuts")}">${text("portal.keep")}</a></p>`,
  );
  const why = notice("warn", text("portal.hereShortcut", { address: visit.address.text }));
  const body = html`<section class="panel"><h1>${text("portal.hereTitle")}</h1>${why}${form}</section>`;
  return inFrame(call, session, body, 409);
}

/** A person's own. @throws SallyportError `not_found` */
async function ownOf(call: Call, pages: PlacePages, session: LiveSession, id: string): Promise<Handover> {
  const found = await anyOf(call, pages, id);
  if (found.shortcut.user !== session.user) throw new SallyportError("not_found", "there is no such shortcut");
  return found;
}

/** Any of the clinic's, for the portal. @throws SallyportError `not_found` */
export async function anyOf({ visit }: Call, { whitelist }: PlacePages, id: string): Promise<Handover> {
  const { shortcut } = await whitelist.shortcuts.read(visit.tenant.id, id);
  return { shortcut, url: await whitelist.shortcuts.urlOf(visit.tenant, shortcut) };
}

const FILES = { url: windowsShortcut, webloc: macShortcut, desktop: linuxShortcut } as const;

/** The file that the path's last segment names, as `{id}.{kind}`. */
export async function shortcutFile(call: Call, find: (id: string) => Promise<Handover>): Promise<Answer> {
  const [id = "", kind = ""] = call.token.split(".", 2);
  const { url } = await find(id);
  const { name } = call.visit.tenant;
  const handover = { name, url, icon: `${call.visit.origin}${ICON_PATH}` };
  const file =
    kind in FILES
      ? FILES[kind as keyof typeof FILES](handover)
      : systemdUnits(handover).find(({ fileName }) => fileName.endsWith(`.${kind}`));
  if (file === undefined) throw new SallyportError("not_found", "there is no such shortcut");
  return { kind: "file", status: 200, contentType: file.contentType, body: file.content, name: file.fileName };
}
