/** The command line: finds the command, reads its arguments, prints what it answers. */

import type { Environment } from "../config/environment.ts";
import { nearestTo } from "../config/mistakes.ts";
import { SallyportError } from "../core/errors.ts";
import { type Command, columns, describeError, GENERAL, helpOf, readCall, UsageError } from "./command.ts";

/** Loaded when called, so that `version` needs no database and `serve` no demo. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import("./serve.ts")).serve,
  check: async () => (await import("./check.ts")).check,
  demo: async () => (await import("./demo.ts")).demo,
  "demo code": async () => (await import("./demo-code.ts")).demoCode,
  explain: async () => (await import("./explain.ts")).explain,
  "tenant list": async () => (await import("./tenant.ts")).tenantList,
  "tenant get": async () => (await import("./tenant.ts")).tenantGet,
  "tenant create": async () => (await import("./tenant.ts")).tenantCreate,
  "tenant set": async () => (await import("./tenant.ts")).tenantSet,
  "tenant delete": async () => (await import("./tenant.ts")).tenantDelete,
  "allow list": async () => (await import("./allow.ts")).allowList,
  "allow add": async () => (await import("./allow-add.ts")).allowAdd,
  "allow remove": async () => (await import("./allow.ts")).allowRemove,
  "allow import": async () => (await import("./allow.ts")).allowImport,
  "allow export": async () => (await import("./allow.ts")).allowExport,
  "link create": async () => (await import("./link.ts")).linkCreate,
  "link list": async () => (await import("./link.ts")).linkList,
  "link get": async () => (await import("./link.ts")).linkGet,
  "link revoke": async () => (await import("./link.ts")).linkRevoke,
  "user list": async () => (await import("./user.ts")).userList,
  "user get": async () => (await import("./user.ts")).userGet,
  "user create": async () => (await import("./user.ts")).userCreate,
  "user invite": async () => (await import("./user.ts")).userInvite,
  "user disable": async () => (await import("./user.ts")).userDisable,
  "user enable": async () => (await import("./user.ts")).userEnable,
  "user unlock": async () => (await import("./user.ts")).userUnlock,
  "user reset-factors": async () => (await import("./user.ts")).userResetFactors,
  "user delete": async () => (await import("./user.ts")).userDelete,
  "session list": async () => (await import("./session.ts")).sessionList,
  "session end": async () => (await import("./session.ts")).sessionEnd,
  "key create": async () => (await import("./key.ts")).keyCreate,
  "key list": async () => (await import("./key.ts")).keyList,
  "key revoke": async () => (await import("./key.ts")).keyRevoke,
  "audit verify": async () => (await import("./audit.ts")).auditVerify,
  backup: async () => (await import("./backup.ts")).backup,
  restore: async () => (await import("./restore.ts")).restore,
  "rotate-keys": async () => (await import("./rotate-keys.ts")).rotateKeys,
  schema: async () => (await import("./schema.ts")).schema,
  version: async () => (await import("./version.ts")).version,
};

/** What surrounds a command: arguments come in, text goes out. */
export interface Surroundings {
  readonly env: Environment;
  /** Where relative paths start. */
  readonly base: string;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** Runs one command line. @returns the exit code: 0 done, 1 failed, 2 called wrongly */
export async function runCommandLine(argv: readonly string[], around: Surroundings): Promise<number> {
  const found = find(argv);
  if (found === undefined) return overview(argv, around);
  const command = await found.load();
  try {
    const call = readCall(command, found.rest, around.env, around.base);
    if (call.flag("help")) {
      around.out(helpOf(found.name, command));
      return 0;
    }
    const output = await command.run(call);
    if (output === undefined) return 0;
    around.out(call.flag("json") ? `${JSON.stringify(output.data, null, 2)}\n` : `${output.text}\n`);
    return output.failed === true ? 1 : 0;
  } catch (error) {
    return fail(error, found.name, argv.includes("--json"), around);
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
async function overview(argv: readonly string[], { out, err }: Surroundings): Promise<number> {
  const [word = "--help"] = argv;
  const asked = word === "--help" || word === "-h" || word === "help";
  const group = Object.keys(COMMANDS).filter((name) => name.startsWith(`${word} `));
  if (!asked && group.length === 0) {
    const near = nearestTo(word, firstWords());
    err(
      `sallyport: "${word}" is not a command${near === undefined ? "" : `; did you mean ${near}?`}\nsallyport --help lists them all\n`,
    );
    return 2;
  }
  const names = asked ? Object.keys(COMMANDS) : group;
  const rows = await Promise.all(names.map(async (name) => [`  ${name}`, (await COMMANDS[name]?.())?.summary ?? ""]));
  const text = `Usage: sallyport COMMAND [options]\n\n${columns(rows)}\n\nsallyport COMMAND --help explains each; all take --${Object.keys(GENERAL).join(", --")}.\n`;
  const wellAsked = asked || argv.includes("--help");
  (wellAsked ? out : err)(text);
  return wellAsked ? 0 : 2;
}

function firstWords(): string[] {
  return [...new Set(Object.keys(COMMANDS).map((name) => name.split(" ")[0] ?? name))];
}

function fail(error: unknown, name: string, json: boolean, { out, err }: Surroundings): number {
  if (json) {
    const code = error instanceof SallyportError ? error.code : error instanceof UsageError ? "usage" : "internal";
    const issues = error instanceof SallyportError ? error.issues : [];
    const message = error instanceof Error ? error.message : String(error);
    out(`${JSON.stringify({ error: { code, message, issues } }, null, 2)}\n`);
  } else {
    err(`sallyport ${name}: ${describeError(error)}\n`);
    if (error instanceof UsageError) err(`sallyport ${name} --help explains it\n`);
  }
  return error instanceof UsageError ? 2 : 1;
}
