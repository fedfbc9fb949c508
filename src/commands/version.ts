/** `version`: which Sallyport and which Node.js. */
import { productVersion } from "../observe/product-version.ts";
import type { Command } from "./command.ts";

export const version: Command = {
  summary: "Print the version.",
  args: "",
  options: {},
  async run() {
    const data = { sallyport: productVersion(), node: process.versions.node };
    return { data, text: `sallyport ${data.sallyport} (Node.js ${data.node})` };
  },
};
