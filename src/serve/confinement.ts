/** What an edge process may do: Node's permission model takes from it all but the network and reading its own code. */
import { fileURLToPath } from "node:url";
import type { EdgeConfig } from "../config.ts";

const FLAGS = ["--permission", "--allow-net", "--no-experimental-sqlite", "--disable-warning=ExperimentalWarning"];

/** The folder that holds `src`. */
const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Where the dependencies really are: `node_modules` may be a link, which is read as well, or stand further up. */
const MODULES = fileURLToPath(import.meta.resolve("pino")).replace(/(.*\/node_modules\/).*/, "$1");

/**
 * Flags for the Node.js of an edge: no file is written, none read but the code, the certificates and the
 * authorities; no child process, no worker, no native addon. So the store's file, the keys in the data
 * folder and `/proc` stay out of reach of whatever runs in it. `node:sqlite` opens files past the permission
 * model, and so is left out of an edge altogether.
 */
export function edgeFlags(edge: EdgeConfig): string[] {
  const certificates = edge.listen.flatMap(({ tls = [] }) => tls.flatMap(({ cert, key }) => [cert, key]));
  const authorities = edge.upstream.ca === undefined ? [] : [edge.upstream.ca];
  const readable = [
    `${ROOT}src/`,
    `${ROOT}package.json`,
    `${ROOT}node_modules/`,
    MODULES,
    ...certificates,
    ...authorities,
  ];
  return [...FLAGS, ...[...new Set(readable)].map((path) => `--allow-fs-read=${path}`)];
}
