/** Turns what a schema found wrong into issues that say where, what, and what to write instead. */
import type { TSchema } from "typebox";
import { Compile } from "typebox/compile";
import type { TLocalizedValidationError } from "typebox/error";
import { type Issue, SallyportError } from "../core/errors.ts";

const MAX_ISSUES = 100;

/** Checks and never changes: nothing is coerced, removed or filled in. */
export class Shape<Value> {
  readonly #schema: TSchema;
  readonly #validator: ReturnType<typeof Compile>;

  /** `Value` is what the schema admits: `new Shape<Static<typeof S>>(S)`. */
  constructor(schema: TSchema) {
    this.#schema = schema;
    this.#validator = Compile(schema);
  }

  admits(value: unknown): value is Value {
    return this.#validator.Check(value);
  }

  /** Every mistake, at most 100; empty when the value is admitted. */
  issues(value: unknown): Issue[] {
    return this.admits(value) ? [] : toIssues(this.#schema, this.#validator.Errors(value));
  }

  /** @throws SallyportError `body_invalid` with every mistake */
  parse(value: unknown, what: string): Value {
    if (this.admits(value)) return value;
    throw new SallyportError("body_invalid", `${what} is not as it must be`, { issues: this.issues(value) });
  }
}

/** One segment of a JSON pointer (RFC 6901). */
export function pointer(...segments: readonly (string | number)[]): string {
  return segments.map((segment) => `/${String(segment).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

function toIssues(schema: TSchema, errors: readonly TLocalizedValidationError[]): Issue[] {
  const found = new Map<string, Issue>();
  for (const error of errors) {
    for (const issue of describe(schema, error)) {
      if (found.size < MAX_ISSUES && !found.has(issue.at)) found.set(issue.at, issue);
    }
  }
  return [...found.values()];
}

function describe(schema: TSchema, error: TLocalizedValidationError): Issue[] {
  const params = error.params as { requiredProperties?: string[]; additionalProperties?: string[] };
  if (error.keyword === "boolean") return [];
  if (error.keyword === "required") {
    return (params.requiredProperties ?? []).map((key) => ({
      at: error.instancePath + pointer(key),
      message: "is required",
    }));
  }
  if (error.keyword === "additionalProperties") {
    const known = Object.keys((subschema(schema, error.schemaPath).at(-1)?.["properties"] as object | undefined) ?? {});
    return (params.additionalProperties ?? []).map((key) => ({
      at: error.instancePath + pointer(key),
      message: "is not known here",
      ...(known.length === 0 ? {} : { hint: `known: ${known.join(", ")}` }),
    }));
  }
  return [{ at: error.instancePath || "/", message: messageFor(schema, error.schemaPath) ?? error.message }];
}

/**
 * What the schema itself says of a value: the outermost word about it, as a union's rather than one of its branches'.
 * A list may speak for its items; an object says nothing of its fields.
 */
function messageFor(schema: TSchema, path: string): string | undefined {
  const segments = path.split("/").slice(1);
  let [own, around] = [messageOf(schema), undefined as string | undefined];
  let here: unknown = schema;
  for (const [index, segment] of segments.entries()) {
    here = stepInto(here, segment);
    const isName = ["properties", "patternProperties"].includes(segments[index - 1] ?? "");
    if (isName) [own, around] = [undefined, undefined];
    else if (segment === "items") [own, around] = [undefined, own ?? around];
    own ??= messageOf(here);
  }
  return own ?? around;
}

function messageOf(schema: unknown): string | undefined {
  const message = (schema as { errorMessage?: unknown } | undefined)?.errorMessage;
  return typeof message === "string" ? message : undefined;
}

function stepInto(schema: unknown, segment: string): unknown {
  return (schema as Record<string, unknown> | undefined)?.[segment.replaceAll("~1", "/").replaceAll("~0", "~")];
}

/** The schemas along a path such as `#/properties/a/anyOf/0`, outermost first, without the root. */
function subschema(schema: TSchema, path: string): Record<string, unknown>[] {
  let here: unknown = schema;
  const along = [schema as unknown as Record<string, unknown>];
  for (const segment of path.split("/").slice(1)) {
    here = stepInto(here, segment);
    if (typeof here === "object" && here !== null && !Array.isArray(here)) along.push(here as Record<string, unknown>);
  }
  return along;
}
