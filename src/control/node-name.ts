/** This node's name: lasting, and no other node's, since the audit log has one chain for each. */
import { randomBytes } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";

const FILE = "node";
const NAME = /^[a-z0-9-]{1,40}$/;

/** The name in the data folder; made of the host's name and a random part on the first start. */
export function nodeName(dataDir: string): string {
  const file = join(dataDir, FILE);
  try {
    const known = readFileSync(file, "utf8").trim();
    if (NAME.test(known)) return known;
  } catch {
    // The first start.
  }
  const host = hostname()
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 24);
  const name = `${host.replace(/^-+|-+$/g, "") || "node"}-${randomBytes(4).toString("hex")}`;
  writeFileSync(`${file}.new`, `${name}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return name;
}
