/** Taking places off the list, by whatever brought them: whoever would shut themselves out by it is asked first. */
import type { Address } from "../core/address.ts";
import type { Plan } from "../core/audit.ts";
import { SallyportError, unlessMissing } from "../core/errors.ts";
import { notice } from "../look/displays.ts";
import { button } from "../look/forms.ts";
import { type Html, html } from "../look/html.ts";
import { isName } from "../whitelist/removals.ts";
import { postForm } from "./page-form.ts";
import type { PlacePages } from "./place-pages.ts";
import { type Confirmation, showConfirmation } from "./portal-confirm.ts";
import type { OwnerCall } from "./portal-frame.ts";
import { type Answer, pathTo } from "./route.ts";
import { actorOf } from "./visitor.ts";

/** What whoever would shut themselves out is asked. */
export interface Question extends Pick<Confirmation, "path" | "page" | "back" | "go"> {
  readonly warning: "portal.hereWarning" | "portal.hereLink" | "portal.hereShortcut" | "portal.herePerson";
}

export interface Taking<Result> extends Question {
  /** Although it leaves no owner a way in. */
  readonly force?: boolean;
  readonly plan: () => Promise<Plan<Result>>;
  /** Where the browser goes then. */
  readonly done: (result: Result) => string;
}

/** What has the form's `id`: an entry, or a name with its places. */
export async function removePlace(call: OwnerCall, pages: PlacePages): Promise<string | Answer> {
  const { visit, form, session, text } = call;
  const { removals } = pages.whitelist;
  return await takeOrAsk(call, pages, {
    path: "portal/remove",
    page: "portal",
    warning: "portal.hereWarning",
    go: text("portal.removeHere"),
    plan: () => removals.plan(visit.tenant.id, form["id"] ?? "", { actor: actorOf(call, session) }),
    done: (removed) => {
      if (isName(removed)) return pathTo("portal", { unfollowed: removed.id });
      return pathTo("portal", { removed: removed.id, by: removed.kind === "shortcut" ? removed.sourceId : undefined });
    },
  });
}

/** What has just been removed, with a way back, and what would bring it back unasked. */
export async function undoNotice(call: OwnerCall, { whitelist }: PlacePages): Promise<Html | false> {
  const { query, text, visit } = call;
  const { removed, unfollowed, by } = query;
  const id = removed ?? unfollowed;
  if (id === undefined || call.failure !== undefined) return false;
  const undo = postForm(
    call,
    { path: "portal/restore", hidden: { id } },
    button(text("portal.undo"), { kind: "secondary" }),
  );
  if (removed === undefined) return notice("good", html`<p>${text("portal.done.unfollowed")}</p>${undo}`);
  const source = by === undefined ? undefined : await unlessMissing(whitelist.shortcuts.read(visit.tenant.id, by));
  if (source === undefined) return notice("good", html`<p>${text("portal.done.removed")}</p>${undo}`);
  const { shortcut } = source;
  const why = text("portal.done.removedShortcut", { name: shortcut.label || text("portal.unnamed") });
  const end = postForm(
    call,
    { path: "portal/shortcuts/remove", hidden: { id: shortcut.id } },
    button(text("portal.endShortcut"), { kind: "danger" }),
  );
  return notice("warn", html`<p>${why}</p><div class="decide">${end}${undo}</div>`);
}

/** The place where the owner stands goes only once they have sent `confirm`, too; the owners' last way in not at all. */
export async function takeOrAsk<Result>(
  call: OwnerCall,
  { whitelist }: PlacePages,
  { force = false, plan, done, ...question }: Taking<Result>,
): Promise<string | Answer> {
  return await orAsk(call, question, async (onBehalfOf) => {
    const removal = { onBehalfOf, force };
    return done(
      await whitelist.manage(async () => await whitelist.removals.guarded(call.visit.tenant.id, await plan(), removal)),
    );
  });
}

/** @param work does it, and refuses to cut the address off where it is given one */
export async function orAsk(
  call: OwnerCall,
  { warning, ...question }: Question,
  work: (onBehalfOf: Address | undefined) => Promise<string>,
): Promise<string | Answer> {
  const { visit, text } = call;
  const { confirm, ...hidden } = call.form;
  try {
    return await work(confirm === "yes" ? undefined : visit.address);
  } catch (error) {
    if (!(error instanceof SallyportError) || error.code !== "confirmation_required") throw error;
    const [title, why] = [text("portal.hereTitle"), text(warning, { address: visit.address.text })];
    return showConfirmation(call, { ...question, title, why, hidden });
  }
}
