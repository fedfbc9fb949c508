#!/usr/bin/env node
/** The command line: finds the command, reads its arguments, prints what it answers. */
import { type Command, columns, describeError, GENERAL, helpOf, readCall, UsageError } from "./commands/command.ts";
import { nearestTo } from "./config/mistakes.ts";
import { SallyportError } from "./core/errors.ts";

/** Loaded when called, so that `version` needs no database and `serve` no demo. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import("./commands/serve.ts")).serve,
  check: async () => (await import("./commands/check.ts")).check,
  demo: async () => (await import("./commands/demo.ts")).demo,
  explain: async () => (await import("./commands/explain.ts")).explain,
  "tenant list": async () => (await import("./commands/tenant.ts")).tenantList,
  "tenant get": async () => (await import("./commands/tenant.ts")).tenantGet,
  "tenant create": async () => (await import("./commands/tenant.ts")).tenantCreate,
  "tenant set": async () => (await import("./commands/tenant.ts")).tenantSet,
  "tenant delete": async () => (await import("./commands/tenant.ts")).tenantDelete,
  "allow list": async () => (await import("./commands/allow.ts")).allowList,
  "allow add": async () => (await import("./commands/allow-add.ts")).allowAdd,
  "allow remove": async () => (await import("./commands/allow.ts")).allowRemove,
  "allow import": async () => (await import("./commands/allow.ts")).allowImport,
  "allow export": async () => (await import("./commands/allow.ts")).allowExport,
  "key create": async () => (await import("./commands/key.ts")).keyCreate,
  "key list": async () => (await import("./commands/key.ts")).keyList,
  "key revoke": async () => (await import("./commands/key.ts")).keyRevoke,
  "audit verify": async () => (await import("./commands/audit.ts")).auditVerify,
  backup: async () => (await import("./commands/backup.ts")).backup,
  restore: async () => (await import("./commands/restore.ts")).restore,
  "rotate-keys": async () => (await import("./commands/rotate-keys.ts")).rotateKeys,
  schema: async () => (await import("./commands/schema.ts")).schema,
  version: async () => (await import("./commands/version.ts")).version,
};

/** @returns the exit code: 0 done, 1 failed, 2 called wrongly */
async function main(argv: readonly string[]): Promise<number> {
  const found = find(argv);
  if (found === undefined) return overview(argv);
  const command = await found.load();
  try {
    const call = readCall(command, found.rest, process.env, process.cwd());
    if (call.flag("help")) {
      process.stdout.write(helpOf(found.name, command));
      return 0;
    }
    const output = await command.run(call);
    if (output === undefined) return 0;
    process.stdout.write(call.flag("json") ? `${JSON.stringify(output.data, null, 2)}\n` : `${output.text}\n`);
    return output.failed === true ? 1 : 0;
  } catch (error) {
    return fail(error, found.name, argv.includes("--json"));
  }
}

function find(
  argv: readonly string[],
): { name: string; rest: readonly string[]; load: () => Promise<Command> } | undefined {
  for (const words of [2, 1]) {
    const name = argv.slice(0, words).join(" ");
    const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (load !== undefined) return { name, rest: argv.slice(words), load };
  }
  return undefined;
}

/** All commands, or those of a group such as `tenant`; also what is printed when a word is not known. */
async function overview(argv: readonly string[]): Promise<number> {
  const [word = "--help"] = argv;
  const asked = word === "--help" || word === "-h" || word === "help";
  const group = Object.keys(COMMANDS).filter((name) => name.startsWith(`${word} `));
  if (!asked && group.length === 0) {
    const near = nearestTo(word, firstWords());
    process.stderr.write(
      `sallyport: "${word}" is not a command${near === undefined ? "" : `; did you mean ${near}?`}\nsallyport --help lists them all\n`,
    );
    return 2;
  }
  const names = asked ? Object.keys(COMMANDS) : group;
  const rows = await Promise.all(names.map(async (name) => [`  ${name}`, (await COMMANDS[name]?.())?.summary ?? ""]));
  const text = `Usage: sallyport COMMAND [options]\n\n${columns(rows)}\n\nsallyport COMMAND --help explains each; all take --${Object.keys(GENERAL).join(", --")}.\n`;
  const wellAsked = asked || argv.includes("--help");
  (wellAsked ? process.stdout : process.stderr).write(text);
  return wellAsked ? 0 : 2;
}

function firstWords(): string[] {
  return [...new Set(Object.keys(COMMANDS).map((name) => name.split(" ")[0] ?? name))];
}

function fail(error: unknown, name: string, json: boolean): number {
  if (json) {
    const code = error instanceof SallyportError ? error.code : error instanceof UsageError ? "usage" : "internal";
    const issues = error instanceof SallyportError ? error.issues : [];
    const message = error instanceof Error ? error.message : String(error);
    process.stdout.write(`${JSON.stringify({ error: { code, message, issues } }, null, 2)}\n`);
  } else {
    process.stderr.write(`sallyport ${name}: ${describeError(error)}\n`);
    if (error instanceof UsageError) process.stderr.write(`sallyport ${name} --help explains it\n`);
  }
  return error instanceof UsageError ? 2 : 1;
}

process.exitCode = await main(process.argv.slice(2));
