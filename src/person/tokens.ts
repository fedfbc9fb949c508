/** Single-use tokens: invitations, password resets, and tickets that hand a browser over from the portal. */
import { digest, isSecret, newSecret, type TenantId } from "../core/ids.ts";
import type { Store, Write } from "../core/store.ts";
import { type Account, loadAccount } from "./account.ts";
import type { CommitPart } from "./commit-part.ts";

/** `{tenant}/{digest of the token}` → {@link TokenRecord}; gone once used or expired. Quiet. */
export const TOKEN_KIND = "persontoken";

export type TokenPurpose = "invite" | "reset" | "ticket";

const TOKEN_LIFETIME_MS: Readonly<Record<TokenPurpose, number>> = {
  invite: 7 * 24 * 60 * 60_000,
  reset: 60 * 60_000,
  ticket: 60_000,
};

interface TokenRecord {
  readonly purpose: TokenPurpose;
  readonly user: string;
  /** The user's epoch at its making: a newer invitation, a new password or a disabling makes it void. */
  readonly epoch: number;
  readonly wayBack: string;
  /** It went to the user's mailbox and to nobody else. */
  readonly mailed: boolean;
}

export interface NewToken {
  /** 256 random bits for the link; stored as a digest. */
  readonly token: string;
  readonly expiresAtMs: number;
  readonly write: Write;
}

/** A token that is good at this moment, and what a commit that uses it must contain. */
export interface LiveToken {
  readonly account: Account;
  readonly wayBack: string;
  readonly mailed: boolean;
  readonly spend: CommitPart;
}

/** @param epoch the user's, as it will be once the write is committed */
export function newToken(
  account: Pick<Account, "tenant" | "id">,
  purpose: TokenPurpose,
  epoch: number,
  nowMs: number,
  { wayBack = "/", mailed = false }: { readonly wayBack?: string; readonly mailed?: boolean } = {},
): NewToken {
  const token = newSecret();
  const expiresAtMs = nowMs + TOKEN_LIFETIME_MS[purpose];
  const value: TokenRecord = { purpose, user: account.id, epoch, wayBack, mailed };
  const id = `${account.tenant}/${digest(token)}`;
  return { token, expiresAtMs, write: { kind: TOKEN_KIND, id, value, expiresAtMs, quiet: true } };
}

/** Reads a token and changes nothing. Expired, used, void, of another tenant or purpose, one bit changed: all `undefined`. */
export async function readToken(
  store: Store,
  tenant: TenantId,
  purpose: TokenPurpose,
  token: unknown,
): Promise<LiveToken | undefined> {
  if (!isSecret(token)) return undefined;
  const id = `${tenant}/${digest(token)}`;
  const document = await store.get(TOKEN_KIND, id);
  const record = document?.value as TokenRecord | undefined;
  if (document === undefined || record?.purpose !== purpose) return undefined;
  const account = await loadAccount(store, tenant, record.user);
  if (account === undefined || account.user.state === "disabled" || account.user.epoch !== record.epoch)
    return undefined;
  return {
    account,
    wayBack: record.wayBack,
    // Absent in tokens of earlier versions.
    mailed: record.mailed === true,
    spend: {
      writes: [{ kind: TOKEN_KIND, id, value: null, quiet: true }],
      preconditions: [{ kind: TOKEN_KIND, id, revision: document.revision }],
    },
  };
}
