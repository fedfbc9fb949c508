/** The person door's users, as the rules by which places get onto a list need them. */
import type { Precondition, Store } from "../core/store.ts";
import type { Tenant } from "../core/tenant.ts";
import { CREDENTIAL_KIND, USER_KIND, userDocumentId } from "../person/account.ts";
import type { UserView } from "../person/user-view.ts";
import type { Users } from "../person/users.ts";
import type { KnownUser, UserDirectory } from "../whitelist/whitelist.ts";

const PAGE = 500;

export function directoryOf(users: Users, store: Store): UserDirectory {
  const find = async (tenant: Tenant, who: string) => {
    const user = await users.find(tenant, who);
    return user === undefined ? undefined : known(tenant, user);
  };
  const owners = async (tenant: Tenant) => {
    const found: KnownUser[] = [];
    for (let after: string | undefined = ""; after !== undefined; ) {
      const page: UserView[] = await users.list(tenant, { limit: PAGE, after });
      found.push(...page.filter(isOwner).map((user) => known(tenant, user)));
      after = page.length < PAGE ? undefined : page.at(-1)?.id;
    }
    return found;
  };
  return {
    find,
    owners,
    async ableOwner(tenant, without) {
      for (const { id, canSignIn } of await owners(tenant)) {
        const standing = canSignIn && id !== without ? await standingOwner(users, store, tenant, id) : undefined;
        if (standing !== undefined) return standing;
      }
      return undefined;
    },
  };
}

/** Judged after the credential's revision is read: whatever changed in between loses the commit. */
async function standingOwner(
  users: Users,
  store: Store,
  tenant: Tenant,
  id: string,
): Promise<Precondition[] | undefined> {
  const document = userDocumentId(tenant.id, id);
  const credential = await store.get(CREDENTIAL_KIND, document);
  const user = await users.find(tenant, id);
  const owner = user === undefined || !isOwner(user) ? undefined : known(tenant, user);
  if (owner?.canSignIn !== true) return undefined;
  return [owner.standing, { kind: CREDENTIAL_KIND, id: document, revision: credential?.revision ?? 0 }];
}

function isOwner({ role }: UserView): boolean {
  return role === "owner";
}

function known(tenant: Tenant, { id, email, name, role, state, signIn, revision }: UserView): KnownUser {
  const disabled = state === "disabled";
  // What failures lead to passes by itself.
  const canSignIn = signIn.reasons.every((reason) => reason === "locked" || reason === "waiting");
  const standing = { kind: USER_KIND, id: userDocumentId(tenant.id, id), revision };
  return { id, email, role, disabled, canSignIn, standing, ...(name === undefined ? {} : { name }) };
}
