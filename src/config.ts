/** The configuration: one YAML file, the environment over it, one schema; every mistake at once. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { Compile } from "typebox/compile";
import { Settings } from "typebox/system";
import {
  type Environment,
  OVERRIDES,
  readCredentials,
  readSecrets,
  readVariable,
  VARIABLES,
} from "./config/environment.ts";
import { FileSchema, type FileSettings } from "./config/file-schema.ts";
import { formatPath, formatPlace, type Mistake, mistakesOf, nearestTo, type Origin } from "./config/mistakes.ts";
import type { Config, Secrets } from "./config/settings.ts";
import { settle } from "./config/settle.ts";
import { type KeyPath, NO_SOURCE, readSource } from "./config/source.ts";
import { type Issue, SallyportError } from "./core/errors.ts";

export type * from "./config/settings.ts";

const DEFAULT_FILE = "config/sallyport.yaml";

export interface LoadOptions {
  /** Overrides `SALLYPORT_CONFIG` and the default; a file that is named must be there. */
  readonly file?: string | undefined;
  readonly env: Environment;
  /** Where relative paths start. */
  readonly base: string;
}

export interface Loaded {
  readonly config: Config;
  readonly secrets: Secrets;
  /** The file that was read; absent when there is none and the defaults hold. */
  readonly file?: string;
}

const validator = Compile(FileSchema);

/** @throws SallyportError `config_invalid` with every mistake of file and environment; no issue shows a secret. */
export function loadConfig(options: LoadOptions): Loaded {
  const { env, base } = options;
  const named = options.file ?? (env["SALLYPORT_CONFIG"] || undefined);
  const file = named ?? (existsSync(resolve(base, DEFAULT_FILE)) ? DEFAULT_FILE : undefined);
  const source = file === undefined ? NO_SOURCE : readSource(resolve(base, file));
  const issues: Issue[] = misspelt(env);
  const secrets = readSecrets(env, issues);
  const credentials = readCredentials(env, issues);
  const overridden = new Map<string, string>();
  const origin: Origin = { source, overridden };
  const value = withOverrides(source.value, env, overridden, issues);
  const mistakes = mistakesOf(FileSchema, allErrors(value), origin);
  issues.push(...mistakes.map((mistake) => mistake.issue));
  const config = settle(fitting(value, mistakes), credentials, base, (path, message, hint) => {
    issues.push({ at: formatPlace(path, origin), message, ...(hint !== undefined && { hint }) });
  });
  if (
    !config.store.url.startsWith("sqlite:") &&
    secrets.secretKey === undefined &&
    env["SALLYPORT_SECRET_KEY"] === undefined
  ) {
    const hint = "the same 32 bytes in base64 on every node: openssl rand -base64 32";
    issues.push({ at: "SALLYPORT_SECRET_KEY", message: "is needed because the store is shared", hint });
  }
  if (issues.length > 0) throw new SallyportError("config_invalid", "the configuration has mistakes", { issues });
  return { config: deepFreeze(config), secrets, ...(file !== undefined && { file: resolve(base, file) }) };
}

/** The JSON schema of the file, for editors: `config/schema.json`. */
export function configJsonSchema(): string {
  return `${JSON.stringify({ $schema: "https://json-schema.org/draft/2020-12/schema", ...FileSchema }, null, 2)}\n`;
}

function misspelt(env: Environment): Issue[] {
  return Object.keys(env).flatMap((name) => {
    if (!name.startsWith("SALLYPORT_") || VARIABLES.includes(name)) return [];
    const near = nearestTo(name, VARIABLES);
    return near === undefined
      ? []
      : [{ at: name, message: "is not a variable that is known here", hint: `did you mean ${near}?` }];
  });
}

type Mutable = Record<string | number, unknown>;

/** A copy of the file's value with the environment's in their places. */
function withOverrides(
  fileValue: unknown,
  env: Environment,
  overridden: Map<string, string>,
  issues: Issue[],
): unknown {
  const value: unknown = structuredClone(fileValue);
  for (const [name, path] of Object.entries(OVERRIDES)) {
    const text = readVariable(env, name, issues);
    if (text === undefined || !isMap(value)) continue;
    put(value, path, name === "SALLYPORT_WORKERS" && /^\d+$/.test(text) ? Number(text) : text);
    overridden.set(formatPath(path), name);
  }
  return value;
}

function put(root: Mutable, path: KeyPath, item: unknown): void {
  const [first = "", second] = path;
  if (second === undefined) root[first] = item;
  else {
    const section = root[first] ?? {};
    if (isMap(section)) root[first] = { ...section, [second]: item };
  }
}

function isMap(value: unknown): value is Mutable {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * What fits the schema, so that the rules can look at all of it: each wrong value is left out. In a list
 * `undefined` stands for it, so that the others keep their places; what lacks something goes whole, except in
 * a list, where the rules look at what it has.
 */
function fitting(value: unknown, mistakes: readonly Mistake[]): FileSettings {
  // The innermost first, so that a way to what is wrong further out is still there.
  for (const { path, lacks } of mistakes.toSorted((a, b) => b.path.length - a.path.length)) {
    if (lacks && path.some((step) => typeof step === "number")) continue;
    const last = path.at(-1);
    let parent = value as Mutable | undefined;
    for (const step of path.slice(0, -1)) parent = parent?.[step] as Mutable | undefined;
    if (last === undefined) return {};
    if (Array.isArray(parent)) parent[Number(last)] = undefined;
    else if (parent !== undefined) delete parent[last];
  }
  return value as FileSettings;
}

/** Every finding; the library's limit of 8 protects servers, and would hide mistakes here. */
function allErrors(value: unknown): ReturnType<typeof validator.Errors> {
  const { maxErrors } = Settings.Get();
  Settings.Set({ maxErrors: 1000 });
  try {
    return validator.Errors(value);
  } finally {
    Settings.Set({ maxErrors });
  }
}

function deepFreeze<T extends object>(value: T): T {
  for (const child of Object.values(value)) if (typeof child === "object" && child !== null) deepFreeze(child);
  return Object.freeze(value);
}
