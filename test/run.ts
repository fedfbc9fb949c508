/** `npm test`: builds tap's test class with this project's plugins, where it is not built so yet, then runs the tests. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const tap = fileURLToPath(new URL("../node_modules/.bin/tap", import.meta.url));
const versions = spawnSync(tap, ["versions"], { encoding: "utf8" }).stdout;

// As installed it still has the plugin that `.taprc` leaves out, and the first run would fail on it.
const isBuilt = !versions.includes("@tapjs/typescript");
const build = isBuilt ? 0 : spawnSync(tap, ["build"], { stdio: ["ignore", "ignore", "inherit"] }).status;
const arguments_ = ["--jobs=2", ...process.argv.slice(2)];
process.exitCode = build === 0 ? (spawnSync(tap, arguments_, { stdio: "inherit" }).status ?? 1) : 1;
