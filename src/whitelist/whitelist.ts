/** The rules of this room, put together: the one thing that control makes of it. */
import { Companions } from "./companion.ts";
import { Door } from "./door.ts";
import { LINK_KIND, LINK_USE_KIND } from "./link-record.ts";
import { LinkUses } from "./link-use.ts";
import { Links } from "./links.ts";
import type { WhitelistOptions } from "./settings.ts";
import { SHORTCUT_KIND } from "./shortcut-record.ts";
import { ShortcutRuns } from "./shortcut-run.ts";
import { Shortcuts } from "./shortcuts.ts";

export type { KnownUser, UserDirectory, WhitelistOptions } from "./settings.ts";

/** Kinds whose documents belong to a tenant by an id of `{tenant}/…`: they go when it is deleted. */
export const WHITELIST_KINDS: readonly string[] = [LINK_KIND, LINK_USE_KIND, SHORTCUT_KIND];

export interface Whitelist {
  readonly links: Links;
  readonly shortcuts: Shortcuts;
  /** The page `allow/{token}`. */
  readonly door: Door;
}

export function openWhitelist(options: WhitelistOptions): Whitelist {
  const companions = new Companions(options);
  return {
    links: new Links(options),
    shortcuts: new Shortcuts(options),
    door: new Door(options, { links: new LinkUses(options), shortcuts: new ShortcutRuns(options), companions }),
  };
}
