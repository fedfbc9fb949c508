/** All shortcuts of the clinic, on the portal: whose they are, where they ran last, and their end. */
import { button, field } from "../look/forms.ts";
import { html, raw } from "../look/html.ts";
import type { UserView } from "../person/user-view.ts";
import { handoverPanels } from "./handover-view.ts";
import { postForm } from "./page-form.ts";
import type { PlacePages } from "./place-pages.ts";
import { type OwnerCall, portalForm, portalView, showPortal } from "./portal-frame.ts";
import { takeOrAsk } from "./portal-removal.ts";
import { type Answer, pathTo, type Route } from "./route.ts";
import { anyOf, shortcutFile, shortcutTable } from "./shortcuts.ts";
import { actorOf } from "./visitor.ts";

const MOST = 500;

export function portalShortcutRoutes(pages: PlacePages): Route[] {
  const path = "portal/shortcuts";
  return [
    portalView(pages, path, show),
    portalView(pages, `${path}/:token`, showOne),
    portalView(pages, "portal/shortcut-file/:token", (call) => shortcutFile(call, (id) => anyOf(call, pages, id))),
    portalForm(pages, { path, fields: ["label", "user"], view: show, work: create }),
    portalForm(pages, { path: `${path}/remove`, fields: ["id", "confirm"], view: show, work: remove }),
  ];
}

async function show(call: OwnerCall, { whitelist, person }: PlacePages): Promise<Answer> {
  const { text, visit, form } = call;
  const views = await whitelist.shortcuts.list(visit.tenant.id, MOST);
  const users = await person.users.list(visit.tenant, { limit: MOST });
  const list =
    views.length === 0
      ? html`<h2>${text("shortcuts.list")}</h2><p class="empty">${text("shortcuts.none")}</p>`
      : shortcutTable(call, views, "portal/shortcuts");
  const label = field({
    name: "label",
    label: text("shortcuts.label"),
    hint: text("shortcuts.labelHint"),
    value: form["label"],
    attributes: html`maxlength="80" autocomplete="off"`,
  });
  const who = html`<div class="field"><label for="user">${text("shortcuts.whose")}</label><select id="user" name="user"><option value="">${text("shortcuts.clinics")}</option>${users.filter(({ state }) => state !== "disabled").map((user) => userOption(user, form["user"]))}</select></div>`;
  const body = html`<section class="panel">${list}</section><section class="panel"><h2>${text("shortcuts.new")}</h2><p>${text("shortcuts.why")}</p>
${postForm(call, { path: "portal/shortcuts" }, html`<div class="columns">${label}${who}</div><p class="actions">${button(text("shortcuts.make"))}</p>`)}</section>`;
  return showPortal(call, { path: "portal/shortcuts", title: text("portal.shortcuts"), body });
}

async function showOne(call: OwnerCall, pages: PlacePages): Promise<Answer> {
  const found = await anyOf(call, pages, call.token);
  const body = await handoverPanels(call, "portal/shortcuts", found);
  return showPortal(call, {
    path: "portal/shortcuts",
    title: found.shortcut.label || call.text("portal.shortcuts"),
    body,
  });
}

function userOption({ id, name, email }: UserView, chosen: string | undefined) {
  return html`<option value="${id}"${id === chosen && raw` selected`}>${name ?? email}</option>`;
}

async function create(call: OwnerCall, { whitelist }: PlacePages): Promise<string> {
  const { visit, form, session } = call;
  const { label = "", user = "" } = form;
  const input = { label: label.trim(), ...(user === "" ? {} : { user }) };
  const author = { actor: actorOf(call, session) };
  const { shortcut } = await whitelist.manage(() => whitelist.shortcuts.planCreate(visit.tenant.id, input, author));
  return pathTo(`portal/shortcuts/${shortcut.id}`);
}

async function remove(call: OwnerCall, pages: PlacePages): Promise<string | Answer> {
  const { visit, form, text, session } = call;
  const author = { actor: actorOf(call, session) };
  return await takeOrAsk(call, pages, {
    path: "portal/shortcuts/remove",
    page: "portal/shortcuts",
    warning: "portal.hereShortcut",
    go: text("portal.removeHere"),
    plan: () => pages.whitelist.shortcuts.planDelete(visit.tenant.id, form["id"] ?? "", author),
    done: () => pathTo("portal/shortcuts", { done: "ended" }),
  });
}
