/** The frame of the owner's portal: who may enter, its navigation, and what has just been done or refused. */
import { SallyportError } from "../core/errors.ts";
import { withoutHidden } from "../core/plain-text.ts";
import { provesAccepted } from "../core/second-factor.ts";
import { notice } from "../look/displays.ts";
import { errorSummary, type FormError } from "../look/forms.ts";
import { type Html, html, type Interpolation, raw } from "../look/html.ts";
import type { PlainKey } from "../look/language.ts";
import { isFresh } from "../person/grants.ts";
import type { LiveSession } from "../person/session-record.ts";
import { PORTAL_SCRIPTS } from "./assets.ts";
import type { Fields } from "./form-fields.ts";
import type { PlacePages } from "./place-pages.ts";
import { type Answer, type Call, pathTo, ROOT, type Route, redirectTo, showPage, tooMany } from "./route.ts";
import { sessionOf, showForbidden, signInPath, signOutForm } from "./visitor.ts";

export type PortalPath = "portal" | `portal/${string}`;

/** An owner's request. */
export interface OwnerCall extends Call {
  readonly session: LiveSession;
  /** Why what they asked for was refused, to be shown with what they typed. */
  readonly failure?: string;
  /** Which of its fields were refused. */
  readonly errors?: readonly FormError[];
}

export type View = (call: OwnerCall, pages: PlacePages) => Promise<Answer>;
/** Carries a change out. @returns where the browser goes then, or the answer itself */
export type Work = (call: OwnerCall, pages: PlacePages) => Promise<string | Answer>;

/** By the name of the field, which is also the rules'. */
export type Advice = (call: OwnerCall, pages: PlacePages) => Promise<Readonly<Record<string, string>>>;

export interface PortalForm {
  readonly path: PortalPath;
  readonly fields: readonly string[];
  /** Shown again, with the reason, when the rules refuse. */
  readonly view: View;
  readonly work: Work;
  /** What to say beside a field that the rules refuse; of any other refusal the page speaks at its top. */
  readonly advice?: Advice;
  /** Only after a recent proof. */
  readonly proof?: boolean;
}

export function portalView(pages: PlacePages, path: PortalPath, view: View): Route {
  return { method: "GET", path, handle: (call) => asOwner(call, pages, (owner) => view(owner, pages)) };
}

export function portalForm(pages: PlacePages, { path, fields, view, work, advice, proof = false }: PortalForm): Route {
  const handle = async (sent: OwnerCall): Promise<Answer> => {
    const owner = { ...sent, form: cleaned(sent.form) };
    if (proof && !isFresh(owner.session, owner.nowMs))
      return redirectTo(signInPath(owner, pages, pathTo("portal/people"), { fresh: "1" }));
    try {
      const done = await work(owner, pages);
      if (typeof done !== "string") return done;
      await pages.inForce();
      return redirectTo(done);
    } catch (error) {
      if (!(error instanceof SallyportError)) throw error;
      const key = REFUSALS[error.code];
      if (key === undefined) throw error;
      const errors = errorsOf(error, (await advice?.(owner, pages)) ?? {});
      const shown = await view({ ...owner, failure: owner.text(key), errors }, pages);
      return error.retryAfterMs === undefined ? shown : tooMany(shown, error.retryAfterMs);
    }
  };
  return { method: "POST", path, fields, handle: (call) => asOwner(call, pages, handle) };
}

/** What is pasted brings along what nobody sees, and could not leave out. */
function cleaned(form: Fields): Fields {
  return Object.fromEntries(Object.entries(form).map(([name, text = ""]) => [name, withoutHidden(text)]));
}

function errorsOf({ issues }: SallyportError, advice: Readonly<Record<string, string>>): FormError[] {
  return issues.flatMap(({ at }) => {
    const field = at.slice(1);
    const message = advice[field];
    return message === undefined ? [] : [{ field, message }];
  });
}

/** What is wrong with a field, to be shown beside it. */
export function errorOf({ errors = [] }: OwnerCall, name: string): string | undefined {
  return errors.find(({ field }) => field === name)?.message;
}

/** What the rules may refuse of what an owner typed or clicked. */
const REFUSALS: Readonly<Record<string, PlainKey>> = {
  address_invalid: "portal.refused.address",
  broad_prefix: "portal.refused.broad",
  body_invalid: "portal.refused.input",
  email_invalid: "portal.refused.email",
  email_taken: "portal.refused.taken",
  entry_limit: "portal.refused.full",
  limit_reached: "portal.refused.often",
  lockout_refused: "portal.refused.lockout",
  not_found: "portal.refused.gone",
  precondition_failed: "portal.refused.changed",
  forbidden: "portal.refused.forbidden",
};

/** Only for an owner who has proven a second factor that the tenant accepts, whatever the tenant's policy asks of others. */
export async function asOwner(
  call: Call,
  pages: PlacePages,
  page: (call: OwnerCall) => Promise<Answer>,
): Promise<Answer> {
  const session = await sessionOf(call, pages);
  if (session === undefined) return redirectTo(signInPath(call, pages, pathTo("portal")));
  if (session.role !== "owner") return showForbidden(call);
  if (!provesAccepted(call.visit.tenant.policy, session)) return showNeedsFactor(call);
  return await page({ ...call, session });
}

function showNeedsFactor({ text }: Call): Answer {
  const body = html`<section class="panel"><h1>${text("portal.title")}</h1><p>${text("portal.needsFactor")}</p>
<p class="actions"><a class="button" href="${pathTo("account")}">${text("account.open")}</a></p></section>`;
  return showPage({ title: text("portal.title"), body }, 403);
}

const NAV: readonly (readonly [PortalPath, PlainKey])[] = [
  ["portal", "portal.places"],
  ["portal/links", "portal.links"],
  ["portal/shortcuts", "portal.shortcuts"],
  ["portal/people", "portal.people"],
  ["portal/activity", "portal.activity"],
  ["portal/settings", "portal.settings"],
];

const DONE = new Set([
  "added",
  "listed",
  "changed",
  "removed",
  "restored",
  "following",
  "sent",
  "ended",
  "invited",
  "reset",
  "unlocked",
  "dismissed",
]);

export interface PortalPage {
  readonly path: PortalPath;
  readonly title: string;
  /** Panels; they are shown anew when something changes, unless somebody is typing. */
  readonly body: Html;
  readonly status?: number;
}

export function showPortal(call: OwnerCall, { path, title, body, status }: PortalPage): Answer {
  const { text, failure, errors = [], query } = call;
  const nav = html`<nav aria-label="${text("portal.title")}">${NAV.map(
    ([to, key]) => html`<a href="${ROOT}/${to}"${to === path && raw` aria-current="page"`}>${text(key)}</a>`,
  )}<a href="${pathTo("clinics")}">${text("clinics.short")}</a><a href="${pathTo("account")}">${text("account.title")}</a>${signOutForm(call)}</nav>`;
  const done = query["done"] ?? "";
  const said =
    failure === undefined
      ? DONE.has(done) && notice("good", text(`portal.done.${done}` as PlainKey))
      : errorSummary(text, errors) || notice("bad", failure);
  const live = html`<div data-live="${pathTo("portal/live", { live: "1" })}">${body}</div>`;
  const shown = html`<h1>${title}</h1>${said}${live}`;
  return showPage(
    { title, body: shown, nav, width: "wide", scripts: PORTAL_SCRIPTS },
    status ?? (failure === undefined ? 200 : 422),
  );
}

/** Names and what they stand for, one below the other. */
export function detailList(items: readonly (readonly [name: string, value: Interpolation])[]): Html {
  return html`<dl class="details">${items.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}
