#!/usr/bin/env node
/** The program: runs the command line that it was called with. */
import { runCommandLine } from "./commands/run.ts";

process.exitCode = await runCommandLine(process.argv.slice(2), {
  env: process.env,
  base: process.cwd(),
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
});
