/** Whether a Debian program that a test needs is on this machine, and what to do when it is not. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { Test } from "tap";

/**
 * The path of an installed program. When it is absent the test is skipped with a message that says so, and
 * fails instead where `CI` is `true`, since there every program is installed.
 */
export function program(t: Test, name: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/bin", "/usr/sbin"];
  const path = folders.map((folder) => join(folder, name)).find(isExecutable);
  if (path !== undefined) return path;
  const message = `${name} is not installed`;
  if (process.env["CI"] === "true") t.fail(message);
  else t.pass(message, { skip: message });
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
