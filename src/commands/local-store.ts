/** For the commands that must work without the admin API: the configured store, opened here. */

import { completeSecrets } from "../config/key-files.ts";
import { type Loaded, loadConfig } from "../config.ts";
import { systemClock } from "../core/clock.ts";
import { Keyring } from "../core/keyring.ts";
import type { Store } from "../core/store.ts";
import { openStore } from "../store/open.ts";
import type { Call } from "./command.ts";

export interface LocalStore {
  readonly loaded: Loaded;
  readonly store: Store;
  readonly keyring: Keyring;
}

/** Runs `work` on the store and closes it. */
export async function withLocalStore<Result>(
  call: Call,
  work: (local: LocalStore) => Promise<Result>,
): Promise<Result> {
  const loaded = loadConfig({ file: call.text("config"), env: call.env, base: call.base });
  const { secretKey, olderSecretKeys } = completeSecrets(loaded.config, loaded.secrets);
  const store = await openStore(loaded.config.store.url, { clock: systemClock });
  try {
    return await work({ loaded, store, keyring: new Keyring([secretKey, ...olderSecretKeys]) });
  } finally {
    await store.close();
  }
}
