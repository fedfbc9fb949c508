/** Runs a command of `sallyport` in this process, and gives back what it said. */

import { runCommandLine } from "../../src/commands/run.ts";
import type { Environment } from "../../src/config/environment.ts";

export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** For commands that end by themselves; `serve` is run by `gate.ts`. */
export async function sallyport(args: readonly string[], cwd: string, env: Environment = {}): Promise<Said> {
  const out: string[] = [];
  const err: string[] = [];
  const around = {
    env,
    base: cwd,
    out: (text: string) => void out.push(text),
    err: (text: string) => void err.push(text),
  };
  const code = await runCommandLine(args, around);
  return { code, stdout: out.join(""), stderr: err.join("") };
}
