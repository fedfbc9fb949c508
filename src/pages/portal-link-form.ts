/** The portal's form for a whitelist link: what may be asked for, within the clinic's limits, and what was. */
import { MAX_LABEL } from "../core/entry-input.ts";
import { SallyportError } from "../core/errors.ts";
import type { Allowance } from "../core/tenant.ts";
import { button, field, select } from "../look/forms.ts";
import { type Html, html } from "../look/html.ts";
import type { LinkInput } from "../whitelist/links.ts";
import { postForm } from "./page-form.ts";
import type { PlacePages } from "./place-pages.ts";
import { errorOf, type OwnerCall } from "./portal-frame.ts";
import { durationText } from "./wording.ts";

/** As the rules call them, so that what they refuse is said beside it. */
export const LINK_FIELDS = [
  "label",
  "recipient",
  "maxUses",
  "ttlSeconds",
  "entryTtlSeconds",
  "allowedNetwork",
] as const;
type Name = (typeof LINK_FIELDS)[number];

const HOUR = 3600;
const DAY = 24 * HOUR;
const LIFETIMES = [HOUR, 8 * HOUR, DAY, 3 * DAY, 7 * DAY, 30 * DAY, 90 * DAY, 365 * DAY];

export async function linkForm(call: OwnerCall, { whitelist, sendsMail }: PlacePages): Promise<Html> {
  const { text } = call;
  const { linkTtl, linkUses, linkEntryTtl, mailable } = await whitelist.links.terms(call.visit.tenant.id);
  const label = input(call, "label", text("links.label"), {
    hint: text("links.labelHint"),
    attributes: html`maxlength="80" autocomplete="off"`,
  });
  const recipient = input(call, "recipient", text("links.recipient"), {
    hint: text("links.recipientHint"),
    type: "email",
    required: false,
    attributes: html`autocomplete="off"`,
  });
  const uses = input(call, "maxUses", text("links.places"), {
    hint: text("links.placesHint"),
    type: "number",
    value: call.form["maxUses"] ?? String(linkUses.default),
    attributes: html`min="1" max="${linkUses.max}" inputmode="numeric"`,
  });
  const network = input(call, "allowedNetwork", text("links.network"), {
    hint: text("links.networkHint"),
    required: false,
    attributes: html`class="mono" autocomplete="off" spellcheck="false" maxlength="60"`,
  });
  const works = lifetime(call, "ttlSeconds", text("links.works"), text("links.worksHint"), linkTtl);
  const stays = lifetime(call, "entryTtlSeconds", text("links.stays"), text("links.staysHint"), linkEntryTtl);
  const fields = html`<div class="columns">${label}${sendsMail && mailable && recipient}${uses}${works}${stays}${network}</div>`;
  return html`<section class="panel"><h2>${text("links.new")}</h2><p>${text("links.why")}</p>
${postForm(call, { path: "portal/links" }, html`${fields}<p class="actions">${button(text("links.make"))}</p>`)}</section>`;
}

function input(call: OwnerCall, name: Name, label: string, more: Omit<Parameters<typeof field>[0], "name" | "label">) {
  return field({ name, label, value: call.form[name], error: errorOf(call, name), ...more });
}

function lifetime(call: OwnerCall, name: Name, label: string, hint: string, { default: usual, max }: Allowance): Html {
  const offered = [...new Set([...LIFETIMES, usual])].filter((seconds) => seconds <= max);
  const items = offered
    .toSorted((one, other) => one - other)
    .map((seconds) => ({ value: String(seconds), label: durationText(call.text, seconds) }));
  const asked = items.find(({ value }) => value === call.form[name])?.value;
  return select({ name, label, hint, error: errorOf(call, name), items, chosen: asked ?? String(usual) });
}

/** What to say beside a field that was refused. */
export async function linkAdvice({ text, visit }: OwnerCall, { whitelist }: PlacePages): Promise<Record<Name, string>> {
  const { linkUses } = await whitelist.links.terms(visit.tenant.id);
  return {
    label: text("links.wrong.label", { max: MAX_LABEL }),
    recipient: text("portal.refused.email"),
    maxUses: text("links.wrong.uses", { max: linkUses.max }),
    ttlSeconds: text("links.wrong.time"),
    entryTtlSeconds: text("links.wrong.time"),
    allowedNetwork: text("links.wrong.network"),
  };
}

/** What was asked for; an empty field asks for the clinic's default. @throws SallyportError `body_invalid` */
export function readLinkForm({ form }: OwnerCall): LinkInput {
  const given = LINK_FIELDS.flatMap((name) => {
    const text = form[name]?.trim() ?? "";
    return text === "" ? [] : [[name, NUMBERS.has(name) ? readNumber(name, text) : text]];
  });
  return Object.fromEntries(given);
}

const NUMBERS: ReadonlySet<Name> = new Set<Name>(["maxUses", "ttlSeconds", "entryTtlSeconds"]);

function readNumber(name: Name, text: string): number {
  if (/^[1-9][0-9]{0,8}$/.test(text)) return Number(text);
  const issues = [{ at: `/${name}`, message: "must be a whole number of 1 or more" }];
  throw new SallyportError("body_invalid", `${name} must be a whole number of 1 or more`, { issues });
}
