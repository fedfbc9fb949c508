/** Taking places off the list, by whatever brought them: whoever would shut themselves out by it is asked first. */
import type { Address } from "../core/address.ts";
import type { Plan } from "../core/audit.ts";
import { SallyportError } from "../core/errors.ts";
import { isName } from "../whitelist/removals.ts";
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
    done: (removed) => pathTo("portal", { [isName(removed) ? "unfollowed" : "removed"]: removed.id }),
  });
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
