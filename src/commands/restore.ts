/** `restore`: puts a backup in the place of the SQLite store, while the gate is stopped. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { SECRET_KEY_FILE } from "../config/key-files.ts";
import { systemClock } from "../core/clock.ts";
import { refuseServed } from "../serve/socket-folder.ts";
import { restoreSqlite } from "../store/sqlite-backup.ts";
import { argument, type Command } from "./command.ts";
import { configuredFile, loadFor } from "./local-store.ts";

export const restore: Command = {
  summary: "Put a backup in the place of the SQLite store; the gate must be stopped.",
  args: "FILE",
  options: {},
  async run(call) {
    const loaded = loadFor(call);
    await refuseServed(loaded.config.dataDir);
    const file = configuredFile(loaded);
    const replaced = await restoreSqlite(resolve(call.base, argument(call, 0)), file, systemClock);
    const { config, secrets } = loaded;
    const key = join(config.dataDir, SECRET_KEY_FILE);
    const keyless = secrets.secretKey === undefined && !existsSync(key);
    const note = keyless ? `\nPut the ${key} that belongs to it back before the start, which would make another.` : "";
    const before =
      replaced === undefined ? "there was no store before" : `what was there before is kept as ${replaced}`;
    return { data: { restored: file, replaced }, text: `restored ${file}; ${before}${note}` };
  },
};
