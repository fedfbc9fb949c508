/** Reading what a form sent: exactly the fields that a route names, each at most once, as text. */
import { SallyportError } from "../core/errors.ts";
import { PROOF_FIELD } from "./form-guard.ts";

export type Fields = Readonly<Record<string, string | undefined>>;

/**
 * Fields of an `application/x-www-form-urlencoded` body or of a JSON object.
 * @throws SallyportError `request_malformed` for a field that is not named, comes twice, or is no text
 */
export function readFields(body: unknown, names: readonly string[]): Fields {
  const pairs = body instanceof URLSearchParams ? [...body] : Object.entries(asObject(body));
  const fields: Record<string, string> = {};
  for (const [name, value] of pairs) {
    const known = name === PROOF_FIELD || names.includes(name);
    if (!known || name in fields || typeof value !== "string") {
      throw new SallyportError("request_malformed", "the form holds something that it should not");
    }
    fields[name] = value;
  }
  return fields;
}

/** The single values of a query; one that comes twice counts as absent. */
export function readQuery(target: string): Fields {
  const query = new URLSearchParams(target.split("?")[1] ?? "");
  const names = [...new Set(query.keys())].filter((name) => query.getAll(name).length === 1);
  return Object.fromEntries(names.map((name) => [name, query.get(name) ?? undefined]));
}

/** A field that a script filled in with JSON; `undefined` for anything else. */
export function readJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}

/** Whether a rule refused a code for its form: a slip of the hand, which is no failure. */
export function isMalformedCode(error: unknown): boolean {
  return error instanceof SallyportError && error.code === "code_invalid";
}

function asObject(body: unknown): object {
  return typeof body === "object" && body !== null ? body : {};
}
