/** Turns the schema's findings into issues that say where, what, and what was probably meant. */
import type { TLocalizedValidationError } from "typebox/error";
import type { Issue } from "../core/errors.ts";
import type { KeyPath, Source } from "./source.ts";

type Json = Readonly<Record<string, unknown>>;

/** Where a value came from: the file (with its place) or the environment variable that set it. */
export interface Origin {
  readonly source: Source;
  /** Dotted key path → the variable that overrode it. */
  readonly overridden: ReadonlyMap<string, string>;
}

/** One mistake: the path of the value that is wrong, and its issue. */
export interface Mistake {
  readonly path: KeyPath;
  readonly issue: Issue;
  /** The value lacks something; what it has may be right. */
  readonly lacks?: true;
}

/** `["edge", "listen", 0, "tls"]` → `edge.listen[0].tls`. */
export function formatPath(path: KeyPath): string {
  return path.reduce<string>(
    (text, step) => text + (typeof step === "number" ? `[${step}]` : `${text && "."}${step}`),
    "",
  );
}

/** `config/sallyport.yaml:12:5 edge.listen`, or the variable's name. */
export function formatPlace(path: KeyPath, origin: Origin): string {
  const variable =
    origin.overridden.get(formatPath(path.slice(0, 2))) ?? origin.overridden.get(formatPath(path.slice(0, 1)));
  if (variable !== undefined) return variable;
  const place = origin.source.locate(path);
  return [place, formatPath(path)].filter((part) => part !== "").join(" ");
}

/** One mistake for each wrong value; a union's findings are told as one. */
export function mistakesOf(schema: object, errors: readonly TLocalizedValidationError[], origin: Origin): Mistake[] {
  const found = new Map<string, Mistake>();
  for (const error of errors) {
    // Every unknown key is reported twice; the finding at the key itself is the useful one.
    if (error.keyword === "additionalProperties" || error.keyword === "anyOf") continue;
    const isBranch =
      errors.some((other) => other.instancePath.startsWith(`${error.instancePath}/`)) && error.keyword === "type";
    if (isBranch || found.has(error.instancePath)) continue;
    found.set(error.instancePath, mistakeOf(schema as Json, error, origin));
  }
  return [...found.values()];
}

function mistakeOf(schema: Json, error: TLocalizedValidationError, origin: Origin): Mistake {
  const path = parsePointer(error.instancePath);
  const at = formatPlace(path, origin);
  const { node, expected } = walk(schema, parsePointer(error.schemaPath.slice(1)));
  if (error.keyword === "boolean") {
    const hint = meant(path, node, schema);
    return { path, issue: { at, message: "is not a key that is known here", ...(hint !== undefined && { hint }) } };
  }
  if (error.keyword === "required") {
    const missing = error.params.requiredProperties.map((name) => `"${name}"`).join(", ");
    return { path, issue: { at, message: `lacks ${missing}` }, lacks: true };
  }
  return { path, issue: { at, message: expected ?? plainMessage(error) } };
}

function plainMessage(error: TLocalizedValidationError): string {
  return error.keyword === "type" && error.params.type === "object" ? "must be a map of keys" : error.message;
}

function parsePointer(pointer: string): (string | number)[] {
  const steps = pointer.split("/").slice(1);
  return steps.map((step) => (/^\d+$/.test(step) ? Number(step) : step.replaceAll("~1", "/").replaceAll("~0", "~")));
}

/** The last object schema on the way, and the outermost `errorMessage` of the value that the way leads to. */
function walk(schema: Json, steps: KeyPath): { node: Json; expected: string | undefined } {
  let at: unknown = schema;
  let node = schema;
  let expected: string | undefined;
  let isName = false;
  for (const step of steps) {
    at = (at as Json | undefined)?.[step];
    const here = at as Json | undefined;
    const holdsSchemas: boolean = !isName && step === "properties";
    if (here?.["type"] === "object" && !holdsSchemas) node = here;
    if (holdsSchemas || (!isName && step === "items")) expected = undefined;
    else expected ??= typeof here?.["errorMessage"] === "string" ? here["errorMessage"] : undefined;
    isName = holdsSchemas;
  }
  return { node, expected };
}

/** What an unknown key was probably meant to be: a neighbour, or a key of that name elsewhere. */
function meant(path: KeyPath, parent: Json, schema: Json): string | undefined {
  const key = String(path.at(-1));
  const above = formatPath(path.slice(0, -1));
  const neighbours = Object.keys((parent["properties"] ?? {}) as Json).map((name) =>
    above === "" ? name : `${above}.${name}`,
  );
  const nearest = nearestTo(key, neighbours) ?? nearestTo(key, keyPaths(schema, ""));
  return nearest === undefined ? undefined : `did you mean ${nearest}?`;
}

function keyPaths(schema: Json, prefix: string): string[] {
  return Object.entries((schema["properties"] ?? {}) as Readonly<Record<string, Json>>).flatMap(([name, child]) => {
    const path = prefix === "" ? name : `${prefix}.${name}`;
    return [path, ...keyPaths(child, path)];
  });
}

/** The candidate whose last word is nearest to `word`, if it is near: one slip in three letters, three at most. */
export function nearestTo(word: string, candidates: readonly string[]): string | undefined {
  const slips = Math.min(3, Math.ceil(word.length / 3));
  let best: string | undefined;
  let bestDistance = slips + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), (candidate.split(".").at(-1) ?? "").toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Levenshtein's. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const substitution = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
