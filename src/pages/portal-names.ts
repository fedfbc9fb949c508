/** Names that move, on the portal: DNS names on the list, how they fare, and adding and removing them. */
import { SallyportError } from "../core/errors.ts";
import { table } from "../look/displays.ts";
import { button, field } from "../look/forms.ts";
import { type Html, html } from "../look/html.ts";
import type { NameRecord } from "../whitelist/name-record.ts";
import { postForm } from "./page-form.ts";
import type { PlacePages } from "./place-pages.ts";
import { type OwnerCall, portalForm, type View } from "./portal-frame.ts";
import { type Answer, pathTo, type Route } from "./route.ts";
import { actorOf } from "./visitor.ts";
import { moment } from "./wording.ts";

/** As many as a clinic can have. */
const MOST = 100;

export function nameRoutes(pages: PlacePages, view: View): Route[] {
  return [
    portalForm(pages, {
      path: "portal/names",
      fields: ["hostname", "called"],
      view,
      work: (call) => add(call, pages, view),
    }),
  ];
}

export async function namesPanel(call: OwnerCall, { whitelist }: PlacePages): Promise<Html> {
  const { text, form, visit } = call;
  const views = await whitelist.names.list(visit.tenant.id, MOST);
  const columns = [text("names.name"), text("names.state"), ""];
  const rows = views.map(({ name }) => nameRow(call, name));
  const hostname = field({
    name: "hostname",
    label: text("names.name"),
    hint: text("names.hint"),
    value: form["hostname"],
    attributes: html`class="mono" autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="253"`,
  });
  const called = field({
    name: "called",
    label: text("portal.label"),
    hint: text("place.labelHint"),
    value: form["called"],
    required: false,
    attributes: html`maxlength="80" autocomplete="off"`,
  });
  return html`<section class="panel"><h2>${text("names.title")}</h2><p>${text("names.why")}</p>
${rows.length > 0 && table(text("names.list"), columns, rows)}
${postForm(call, { path: "portal/names" }, html`<div class="columns">${hostname}${called}</div><p class="actions">${button(text("names.add"))}</p>`)}</section>`;
}

function nameRow(call: OwnerCall, name: NameRecord) {
  const { id, hostname, label } = name;
  return [
    html`${label}${label !== hostname && html`<span class="under mono">${hostname}</span>`}`,
    stateOf(call, name),
    postForm(
      call,
      { path: "portal/remove", hidden: { id } },
      html`<button class="link-button" type="submit">${call.text("account.remove")}<span class="visually-hidden"> ${hostname}</span></button>`,
    ),
  ];
}

function stateOf(call: OwnerCall, { failingSince, resolvedAt, entries }: NameRecord): Html {
  const { text } = call;
  if (failingSince !== undefined) return html`${text("names.failing")} ${moment(call, failingSince)}`;
  return html`${resolvedAt === undefined ? text("names.pending") : text("names.places", { count: entries.length })}`;
}

async function add(call: OwnerCall, pages: PlacePages, view: View): Promise<string | Answer> {
  const { visit, form, session } = call;
  const { hostname = "", called = "" } = form;
  const input = { hostname: hostname.trim(), ...(called.trim() === "" ? {} : { label: called.trim() }) };
  const author = { actor: actorOf(call, session) };
  const { whitelist } = pages;
  try {
    await whitelist.manage(() => whitelist.names.planCreate(visit.tenant.id, input, author));
  } catch (error) {
    const key = error instanceof SallyportError ? REFUSALS[error.code] : undefined;
    if (key === undefined) throw error;
    return await view({ ...call, failure: call.text(key) }, pages);
  }
  return pathTo("portal", { done: "following" });
}

const REFUSALS: Readonly<Record<string, "names.refused" | "portal.refused.full">> = {
  body_invalid: "names.refused",
  limit_reached: "portal.refused.full",
};
