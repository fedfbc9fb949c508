/** Validates requests against their schemas without changing them: nothing is coerced, removed or filled in. */
import type { FastifySchemaCompiler } from "fastify";
import type { TSchema } from "typebox";
import { SallyportError } from "../core/errors.ts";
import { Shape } from "../schema/issues.ts";

const PARTS: Readonly<Record<string, string>> = {
  body: "the body",
  querystring: "the query",
  headers: "the header",
};

/** A query is text: its values are read as the whole numbers and truth values that the schema asks for, strictly, before it is checked. */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const shape = new Shape(schema);
  return (given: unknown) => {
    const value = httpPart === "querystring" ? readQuery(schema, given) : given;
    if (shape.admits(value)) return { value };
    // An impossible name is one that is not there.
    if (httpPart === "params") return { error: new SallyportError("not_found", "there is no such resource") };
    const what = PARTS[httpPart ?? ""] ?? "the request";
    return {
      error: new SallyportError("body_invalid", `${what} is not as it must be`, { issues: shape.issues(value) }),
    };
  };
};

function readQuery(schema: TSchema, given: unknown): unknown {
  const properties = (schema as { properties?: Record<string, { type?: string }> }).properties ?? {};
  const entries = Object.entries(given as Record<string, unknown>);
  return Object.fromEntries(entries.map(([name, text]) => [name, readText(properties[name]?.type, text)]));
}

/** Anything that is not spelt as it must be stays text, and fails. */
function readText(type: string | undefined, text: unknown): unknown {
  if (typeof text !== "string") return text;
  if (type === "integer" && /^(0|[1-9][0-9]{0,14})$/.test(text)) return Number(text);
  if (type === "boolean" && (text === "true" || text === "false")) return text === "true";
  return text;
}
