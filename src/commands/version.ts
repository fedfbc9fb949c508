/** `version`: which Sallyport and which Node.js. */
import { readFileSync } from "node:fs";
import type { Command } from "./command.ts";

export const version: Command = {
  summary: "Print the version.",
  args: "",
  options: {},
  async run() {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
      version: string;
    };
    const data = { sallyport: version, node: process.versions.node };
    return { data, text: `sallyport ${data.sallyport} (Node.js ${data.node})` };
  },
};
