/** The page `allow/{token}` as rules: a token of either kind opened (nothing changes) or confirmed (its place is admitted). */
import type { AllowlistEntry } from "../core/entry.ts";
import { SallyportError } from "../core/errors.ts";
import type { TenantId } from "../core/ids.ts";
import type { Companions } from "./companion.ts";
import type { WhitelistOptions } from "./dependencies.ts";
import type { LinkUses } from "./link-use.ts";
import type { Opened, Used } from "./outcome.ts";
import { type Place, takeUse } from "./place.ts";
import type { ShortcutRuns } from "./shortcut-run.ts";
import { readToken, type TokenFacts } from "./token.ts";

/** Somebody whose session has proven the second factor. */
export type SignedInUser = { readonly user: string };

export interface DoorParts {
  readonly links: LinkUses;
  readonly shortcuts: ShortcutRuns;
  readonly companions: Companions;
}

export class Door {
  readonly #options: WhitelistOptions;
  readonly #parts: DoorParts;

  constructor(options: WhitelistOptions, parts: DoorParts) {
    this.#options = options;
    this.#parts = parts;
  }

  /** For GET and HEAD: changes nothing on the list. A companion's token opens nothing; it is only ever posted. */
  async open(tenant: TenantId, token: string, place: Place, person?: SignedInUser): Promise<Opened> {
    const facts = await this.#read(tenant, token);
    if (facts?.kind === "link") {
      const link = await this.#parts.links.peek(tenant, facts.id, place);
      if (link === "elsewhere") return { kind: "elsewhere" };
      if (link !== undefined) return { kind: "open", source: "link", label: link.label, by: "click" };
    }
    if (facts?.kind === "shortcut") {
      const found = await this.#parts.shortcuts.peek(tenant, facts.id, place, person);
      if (found !== undefined) return { kind: "open", source: "shortcut", label: found.shortcut.label, by: found.by };
    }
    return gone(facts);
  }

  /**
   * For POST: admits the address that it came from, and says so once that is committed.
   * @param person who is signed in; only a shortcut whose tenant demands the factor asks for it
   */
  async use(tenant: TenantId, token: string, place: Place, person?: SignedInUser): Promise<Used> {
    const facts = await this.#read(tenant, token);
    if (facts === undefined) return { kind: "gone" };
    const retryAfterMs = await takeUse(this.#options.store, tenant, facts.id, place);
    if (retryAfterMs > 0) return { kind: "limited", retryAfterMs };
    try {
      return await this.#use(tenant, facts, place, person);
    } catch (error) {
      if (error instanceof SallyportError && error.code === "entry_limit") return { kind: "full" };
      throw error;
    }
  }

  async #use(tenant: TenantId, facts: TokenFacts, place: Place, person: SignedInUser | undefined): Promise<Used> {
    const { links, shortcuts, companions } = this.#parts;
    if (facts.kind === "companion") return admitted(facts, await companions.redeem(tenant, facts, place));
    const used =
      facts.kind === "link"
        ? await links.redeem(tenant, facts.id, place)
        : await shortcuts.run(tenant, facts.id, place, person);
    if (used === "sign-in" || used === "elsewhere") return { kind: used };
    const companion = used === undefined ? undefined : await companions.offer(tenant, facts.id, used.id, place);
    const outcome = admitted(facts, used);
    return outcome.kind === "admitted" && companion !== undefined ? { ...outcome, companion } : outcome;
  }

  async #read(tenant: TenantId, token: string): Promise<TokenFacts | undefined> {
    const { keyring, clock } = this.#options;
    return await readToken(keyring, tenant, token, clock.nowMs());
  }
}

function admitted(facts: TokenFacts, entry: AllowlistEntry | undefined): Used {
  if (entry === undefined) return gone(facts);
  return { kind: "admitted", source: facts.id.startsWith("lnk_") ? "link" : "shortcut", entry };
}

function gone(facts: TokenFacts | undefined): Extract<Used, { kind: "gone" }> {
  return facts?.kind === "shortcut" ? { kind: "gone", source: "shortcut" } : { kind: "gone" };
}
