/** `restore`: puts a backup in the place of the SQLite store, while the gate is stopped. */
import { resolve } from "node:path";
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
    const replaced = await restoreSqlite(resolve(call.base, argument(call, 0)), file);
    const before =
      replaced === undefined ? "there was no store before" : `what was there before is kept as ${replaced}`;
    return { data: { restored: file, replaced }, text: `restored ${file}; ${before}` };
  },
};
