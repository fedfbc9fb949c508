/** Taking places off the list, by whatever brought them: whoever would shut themselves out by it is asked first. */
import type { Plan } from "../core/audit.ts";
import { SallyportError } from "../core/errors.ts";
import { isName } from "../whitelist/removals.ts";
import type { PlacePages } from "./place-pages.ts";
import { showConfirmation } from "./portal-confirm.ts";
import type { OwnerCall, PortalPath } from "./portal-frame.ts";
import { type Answer, pathTo } from "./route.ts";
import { actorOf } from "./visitor.ts";

export interface Taking<Result> {
  /** The form that asks for it; it takes `confirm`, too. */
  readonly path: PortalPath;
  /** The page that it belongs to. */
  readonly page: PortalPath;
  readonly warning: "portal.hereWarning" | "portal.hereLink" | "portal.hereShortcut";
  readonly go: string;
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
    done: (removed) => pathTo("portal", { [isName(removed) ? "unfollowed" : "removed"]: removed.id }),
  });
}

/** The place where the owner stands goes only once they have sent `confirm`, too; the owners' last way in not at all. */
export async function takeOrAsk<Result>(
  call: OwnerCall,
  { whitelist }: PlacePages,
  { path, page, warning, go, force = false, plan, done }: Taking<Result>,
): Promise<string | Answer> {
  const { visit, text } = call;
  const { confirm, ...hidden } = call.form;
  const onBehalfOf = confirm === "yes" ? undefined : visit.address;
  try {
    const guarded = async () => await whitelist.removals.guarded(visit.tenant.id, await plan(), { onBehalfOf, force });
    return done(await whitelist.manage(guarded));
  } catch (error) {
    if (!(error instanceof SallyportError) || error.code !== "confirmation_required") throw error;
    const [title, why] = [text("portal.hereTitle"), text(warning, { address: visit.address.text })];
    return showConfirmation(call, { path, page, title, why, go, hidden });
  }
}
