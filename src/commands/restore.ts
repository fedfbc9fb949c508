/** `restore`: puts a backup in the place of the SQLite store, while the gate is stopped. */
import { resolve } from "node:path";
import { openSocketFolder } from "../serve/socket-folder.ts";
import { restoreSqlite } from "../store/sqlite-backup.ts";
import { configuredFile, loadFor } from "./backup.ts";
import { argument, type Command } from "./command.ts";

export const restore: Command = {
  summary: "Put a backup in the place of the SQLite store; the gate must be stopped.",
  args: "FILE",
  options: {},
  async run(call) {
    const config = loadFor(call);
    // Refuses while a gate runs on this data folder.
    (await openSocketFolder(config.dataDir)).remove();
    const file = configuredFile(config);
    await restoreSqlite(resolve(call.base, argument(call, 0)), file);
    return { data: { restored: file }, text: `restored ${file}; what was there before is kept as ${file}.replaced` };
  },
};
