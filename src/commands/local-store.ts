/** For the commands that must work without the admin API: the configured store and its keys, as they are; nothing is made. */

import { presentSecretKeys } from "../config/key-files.ts";
import { type Loaded, loadConfig } from "../config.ts";
import { systemClock } from "../core/clock.ts";
import { SallyportError, StoreAbsentError } from "../core/errors.ts";
import { Keyring } from "../core/keyring.ts";
import type { Store } from "../core/store.ts";
import { openStore, sqliteFile } from "../store/open.ts";
import { refuseAbsent } from "../store/sqlite-file.ts";
import type { Call } from "./command.ts";

export interface LocalStore {
  readonly loaded: Loaded;
  readonly store: Store;
  readonly keyring: Keyring;
}

export function loadFor(call: Call): Loaded {
  return loadConfig({ file: call.text("config"), env: call.env, base: call.base });
}

/** Runs `work` on the store and closes it. @throws SallyportError `config_invalid` where store or keys are not there */
export async function withLocalStore<Result>(
  call: Call,
  work: (local: LocalStore) => Promise<Result>,
): Promise<Result> {
  const loaded = loadFor(call);
  const { config, secrets } = loaded;
  const store = await openStore(config.store.url, { clock: systemClock, existing: true }).catch((error: unknown) => {
    throw withPlace(error, loaded);
  });
  try {
    const { secretKey, olderSecretKeys } = presentSecretKeys(config.dataDir, secrets);
    return await work({ loaded, store, keyring: new Keyring([secretKey, ...olderSecretKeys]) });
  } finally {
    await store.close();
  }
}

/** The file of a SQLite store, which need not be there. @throws SallyportError `config_invalid` when the store is shared */
export function configuredFile({ config }: Loaded): string {
  if (config.store.url.startsWith("sqlite:")) return sqliteFile(config.store.url);
  throw new SallyportError("config_invalid", "the store is shared; back it up with Redis's own means (RDB or AOF)");
}

/** {@link configuredFile} that is there. @throws SallyportError `config_invalid` */
export function presentFile(loaded: Loaded): string {
  const file = configuredFile(loaded);
  try {
    refuseAbsent(file);
    return file;
  } catch (error) {
    throw withPlace(error, loaded);
  }
}

/** Says by which configuration a store was looked for. */
function withPlace(error: unknown, { config, file }: Loaded): unknown {
  if (!(error instanceof StoreAbsentError)) return error;
  const message = file === undefined ? "no file was read, so the defaults hold" : `${file} was read`;
  const hint = "name another with --config, or SALLYPORT_DATA_DIR; sallyport serve makes a new store";
  const issues = [{ at: "configuration", message: `${message}; the data folder is ${config.dataDir}`, hint }];
  return new SallyportError(error.code, error.message, { issues, cause: error });
}
