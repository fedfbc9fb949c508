/** The one switch between the store's adapters. */
import type { Clock } from "../core/clock.ts";
import { SallyportError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";
import type { Store } from "../core/store.ts";
import { DEFAULT_FEED_LIMITS } from "./codec.ts";
import { RedisStore } from "./redis.ts";
import { parseRedisUrl } from "./redis-url.ts";
import { SqliteStore } from "./sqlite.ts";

export interface OpenStoreOptions {
  readonly clock: Clock;
  /** Hears of lost and regained connections. */
  readonly log?: Logger;
  /** Makes no store where there is none. A Redis that is away is then not known to be one either, until it answers. */
  readonly existing?: boolean;
}

/**
 * Opens the store that `url` names: `sqlite:FILE` (relative to the working directory, or absolute),
 * `sqlite::memory:`, or one of the forms of {@link parseRedisUrl}. A Redis that is away is not a fault:
 * the store refuses with `StoreUnavailableError` and connects as soon as it can.
 * @throws SallyportError "config_invalid" for a URL it cannot read, "store_corrupt" for a damaged file;
 * StoreAbsentError where `existing` holds and there is none
 */
export async function openStore(url: string, options: OpenStoreOptions): Promise<Store> {
  if (url.startsWith("sqlite:")) return new SqliteStore(sqliteFile(url), { ...options, feed: DEFAULT_FEED_LIMITS });
  if (url.startsWith("redis")) return new RedisStore(parseRedisUrl(url), options).opened();
  throw new SallyportError("config_invalid", "the store's URL starts with sqlite: or redis:// (rediss:// for TLS)");
}

/** The file of a `sqlite:` URL. @throws SallyportError "config_invalid" */
export function sqliteFile(url: string): string {
  const file = /^sqlite:(?!\/\/)(.+)$/s.exec(url)?.[1];
  if (file === undefined) throw new SallyportError("config_invalid", "write sqlite:FILE, as in sqlite:data/store.db");
  return file;
}
