/** What a command of the command line is, and how its arguments are read. */
import { parseArgs } from "node:util";
import type { Environment } from "../config/environment.ts";
import { SallyportError } from "../core/errors.ts";

export interface Option {
  readonly type: "string" | "boolean";
  readonly help: string;
  /** The value's name in the help text. */
  readonly value?: string;
}

export type Options = Readonly<Record<string, Option>>;

/** What a command was called with. */
export interface Call {
  readonly args: readonly string[];
  readonly env: Environment;
  /** Where relative paths start. */
  readonly base: string;
  text(option: string): string | undefined;
  flag(option: string): boolean;
}

/** `data` is what `--json` prints; `text` is for people. */
export interface Output {
  readonly data: unknown;
  readonly text: string;
  /** The exit code is 1, though the command did its work. */
  readonly failed?: boolean;
}

export interface Command {
  readonly summary: string;
  /** The arguments as the help shows them: `TENANT CIDR [FILE]`. */
  readonly args: string;
  readonly options: Options;
  /** `undefined` when it has written its own output. */
  run(call: Call): Promise<Output | undefined>;
}

/** The command line is wrong: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Those that every command has. */
export const GENERAL: Options = {
  config: { type: "string", value: "FILE", help: "configuration file (default config/sallyport.yaml)" },
  json: { type: "boolean", help: "print JSON" },
  help: { type: "boolean", help: "print this" },
};

/** @throws UsageError */
export function readCall(command: Command, argv: readonly string[], env: Environment, base: string): Call {
  const options = { ...GENERAL, ...command.options };
  const { values, positionals } = parse(options, argv);
  const names = command.args.split(" ").filter((name) => name !== "");
  const needed = names.filter((name) => !name.startsWith("["));
  const help = values["help"] === true;
  if (!help && positionals.length < needed.length) throw new UsageError(`${needed[positionals.length]} is missing`);
  if (positionals.length > names.length)
    throw new UsageError(`"${positionals[names.length]}" is one argument too many`);
  return {
    args: positionals,
    env,
    base,
    text: (option) => (typeof values[option] === "string" ? values[option] : undefined),
    flag: (option) => values[option] === true,
  };
}

function parse(options: Options, argv: readonly string[]) {
  const config = Object.fromEntries(Object.entries(options).map(([name, { type }]) => [name, { type }]));
  try {
    return parseArgs({ args: [...argv], options: config, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** An argument that {@link readCall} has made sure of. */
export function argument(call: Call, index: number): string {
  const value = call.args[index];
  if (value === undefined) throw new UsageError("an argument is missing");
  return value;
}

export function helpOf(name: string, command: Command): string {
  const options = Object.entries({ ...command.options, ...GENERAL }).map(([option, { value, help }]) => [
    `  --${option}${value === undefined ? "" : ` ${value}`}`,
    help,
  ]);
  const usage = ["sallyport", name, command.args, "[options]"].filter((part) => part !== "").join(" ");
  return `${command.summary}\n\nUsage: ${usage}\n\n${columns(options)}\n`;
}

/** Rows as aligned columns; the last one is not padded. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  return rows
    .map((row) =>
      row.map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0))).join("  "),
    )
    .join("\n");
}

/** A fault as people read it: what, then each mistake with its place and what to do. */
export function describeError(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof SallyportError)) return message;
  const issues = error.issues.flatMap((issue) => {
    const { at, hint } = issue;
    // Of a single mistake the message may have said it all.
    return [
      ...(issue.message === message ? [] : [`  ${at}: ${issue.message}`]),
      ...(hint === undefined ? [] : [`    → ${hint}`]),
    ];
  });
  return [message, ...issues].join("\n");
}
