/** The person door's users, as the rules by which places get onto a list need them. */
import type { UserView } from "../person/user-view.ts";
import type { Users } from "../person/users.ts";
import type { KnownUser, UserDirectory } from "../whitelist/whitelist.ts";

const PAGE = 500;

export function directoryOf(users: Users): UserDirectory {
  return {
    async find(tenant, who) {
      const user = await users.find(tenant, who);
      return user === undefined ? undefined : known(user);
    },
    async owners(tenant) {
      const owners: KnownUser[] = [];
      for (let after: string | undefined = ""; after !== undefined; ) {
        const page: UserView[] = await users.list(tenant, { limit: PAGE, ...(after === "" ? {} : { after }) });
        owners.push(...page.filter(({ role }) => role === "owner").map(known));
        after = page.length < PAGE ? undefined : page.at(-1)?.id;
      }
      return owners;
    },
  };
}

function known({ id, email, name, role, state, signIn }: UserView): KnownUser {
  const disabled = state === "disabled";
  // A lock passes by itself.
  const canSignIn = signIn.reasons.every((reason) => reason === "locked");
  return { id, email, role, disabled, canSignIn, ...(name === undefined ? {} : { name }) };
}
