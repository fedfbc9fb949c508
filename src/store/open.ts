/** The one switch between the store's adapters. */
import type { Clock } from "../core/clock.ts";
import { SallyportError } from "../core/errors.ts";
import type { Store } from "../core/store.ts";
import { DEFAULT_FEED_LIMITS } from "./codec.ts";
import { SqliteStore } from "./sqlite.ts";

export interface OpenStoreOptions {
  readonly clock: Clock;
}

/**
 * Opens the store that `url` names: `sqlite:path/to/file`, `sqlite::memory:`.
 * @throws SallyportError "config_invalid" for a URL it cannot read, "store_corrupt" for a damaged file.
 */
export async function openStore(url: string, options: OpenStoreOptions): Promise<Store> {
  const scheme = url.slice(0, url.indexOf(":"));
  if (scheme === "sqlite") return new SqliteStore(sqliteFile(url), { ...options, feed: DEFAULT_FEED_LIMITS });
  throw new SallyportError(
    "config_invalid",
    `no store is called "${scheme}:"; write sqlite:FILE or redis://HOST:PORT/DB`,
  );
}

/** The file of a `sqlite:` URL, relative to the working directory unless it starts with a slash. */
export function sqliteFile(url: string): string {
  const file = url.slice("sqlite:".length);
  if (file === "") throw new SallyportError("config_invalid", "sqlite: needs a file, as in sqlite:data/sallyport.db");
  return file;
}
