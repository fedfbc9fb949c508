/** Which Sallyport this is. */
import { readFileSync } from "node:fs";

/** As `package.json` has it. Reads that file. */
export function productVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
