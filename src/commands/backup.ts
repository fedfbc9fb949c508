/** `backup`: a consistent copy of the SQLite store, also while the gate runs. */
import { resolve } from "node:path";
import { SECRET_KEY_FILE } from "../config/key-files.ts";
import { backupSqlite } from "../store/sqlite-backup.ts";
import { argument, type Command } from "./command.ts";
import { loadFor, presentFile } from "./local-store.ts";

export const backup: Command = {
  summary: "Copy the SQLite store into one file, also while the gate runs; a FILE that is there is replaced.",
  args: "FILE",
  options: {},
  async run(call) {
    const loaded = loadFor(call);
    const target = resolve(call.base, argument(call, 0));
    await backupSqlite(presentFile(loaded), target);
    const note = `Keep ${SECRET_KEY_FILE} of ${loaded.config.dataDir} too, apart from it: without it nothing sealed can be read.`;
    return { data: { written: target }, text: `wrote ${target}\n${note}` };
  },
};
