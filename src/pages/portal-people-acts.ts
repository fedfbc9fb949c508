/** What an owner does to somebody's login on the portal: a new start, another role, and taking it away. */
import type { UserChange } from "../person/user-change.ts";
import type { PlacePages } from "./place-pages.ts";
import { showConfirmation } from "./portal-confirm.ts";
import type { OwnerCall, Work } from "./portal-frame.ts";
import { orAsk } from "./portal-removal.ts";
import { pathTo } from "./route.ts";
import { actorOf } from "./visitor.ts";

const PATHS = { reset: "reset", makeOwner: "owner", makeUser: "user" } as const;

/** One click beside others may be a slip of the hand: it is asked once more, by the person's name. */
export function asking(what: keyof typeof PATHS, work: Work): Work {
  return async (call, pages) => {
    const { text, visit, form } = call;
    if (form["confirm"] === "yes") return await work(call, pages);
    const { id, name, email } = await pages.person.users.get(visit.tenant, idOf(call));
    return showConfirmation(call, {
      path: `portal/people/${PATHS[what]}`,
      hidden: { id },
      page: "portal/people",
      back: `portal/people/${id}`,
      title: name ?? email,
      why: text(`people.${what}Why`),
      go: text(`people.${what}`),
    });
  };
}

export async function resetFactors(call: OwnerCall, { person }: PlacePages): Promise<string> {
  await person.users.resetFactors(call.visit.tenant, idOf(call), actorOf(call, call.session));
  return personPath(call, "reset");
}

export function changing(change: UserChange): Work {
  return async (call, { person }) => {
    await person.users.change(call.visit.tenant, idOf(call), change, actorOf(call, call.session));
    return personPath(call, "changed");
  };
}

/** As long as that leaves an owner a way in, and asking where it would cut off the one who does it. */
export function takingAway(change: UserChange): Work {
  return async (call, { person, whitelist }) => {
    const { tenant } = call.visit;
    const user = idOf(call);
    const actor = actorOf(call, call.session);
    const question = {
      path: "portal/people/disable",
      page: "portal/people",
      back: `portal/people/${user}`,
      warning: "portal.herePerson",
      go: call.text("people.disable"),
    } as const;
    return await orAsk(call, question, async (onBehalfOf) => {
      const guarded = whitelist.removals.committer(tenant.id, { withoutOwner: user }, { onBehalfOf });
      const committer =
        change.state === "disabled" ? whitelist.endingPerson(tenant.id, user, { actor }, guarded) : guarded;
      await person.manage(committer).users.change(tenant, user, change, actor);
      return personPath(call, "changed");
    });
  };
}

export function idOf({ form }: OwnerCall): string {
  return form["id"] ?? "";
}

export function personPath(call: OwnerCall, done: string): string {
  return pathTo(`portal/people/${idOf(call)}`, { done });
}
