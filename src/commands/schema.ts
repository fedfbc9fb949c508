/** `schema`: the configuration file's JSON schema. */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { configJsonSchema } from "../config.ts";
import type { Command } from "./command.ts";

export const schema: Command = {
  summary: "Print the JSON schema of the configuration file.",
  args: "",
  options: { write: { type: "string", value: "FILE", help: "write it to this file instead" } },
  async run(call) {
    const text = configJsonSchema();
    const file = call.text("write");
    if (file === undefined) return { data: JSON.parse(text), text: text.trimEnd() };
    writeFileSync(resolve(call.base, file), text);
    return { data: { written: file }, text: `wrote ${file}` };
  },
};
