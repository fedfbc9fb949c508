/** `backup`: a consistent copy of the SQLite store, also while the gate runs. */
import { resolve } from "node:path";
import { SECRET_KEY_FILE } from "../config/key-files.ts";
import { type Config, loadConfig } from "../config.ts";
import { SallyportError } from "../core/errors.ts";
import { sqliteFile } from "../store/open.ts";
import { backupSqlite } from "../store/sqlite-backup.ts";
import { argument, type Call, type Command } from "./command.ts";

export const backup: Command = {
  summary: "Copy the SQLite store into one file, also while the gate runs.",
  args: "FILE",
  options: {},
  async run(call) {
    const config = loadFor(call);
    const target = resolve(call.base, argument(call, 0));
    await backupSqlite(configuredFile(config), target);
    const note = `Keep ${SECRET_KEY_FILE} of ${config.dataDir} too, apart from it: without it nothing sealed can be read.`;
    return { data: { written: target }, text: `wrote ${target}\n${note}` };
  },
};

/** @throws SallyportError `config_invalid` when the store is no SQLite file */
export function configuredFile(config: Config): string {
  if (config.store.url.startsWith("sqlite:")) return sqliteFile(config.store.url);
  throw new SallyportError("config_invalid", "the store is shared; back it up with Redis's own means (RDB or AOF)");
}

export function loadFor(call: Call): Config {
  return loadConfig({ file: call.text("config"), env: call.env, base: call.base }).config;
}
