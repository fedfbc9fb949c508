/**
 * Writes `sallyport-api.d.ts` from the API's own description, so that the compiler checks what a backend sends and reads.
 * `curl -s http://127.0.0.1:8081/openapi.json | node examples/portal-backend/generate-types.ts > examples/portal-backend/sallyport-api.d.ts`
 */
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";

/** As much of JSON Schema as the description uses. */
interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly description?: string;
}

interface Parameter {
  readonly in: string;
  readonly name: string;
  readonly required?: boolean;
  readonly schema: Schema;
}

type Content = Readonly<Record<string, { readonly schema?: Schema }>>;

interface Operation {
  readonly summary?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}

export interface Description {
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

/** A type for each component, and `Operations`: what each operation takes and answers. */
export function generateTypes({ components, paths }: Description): string {
  const types = Object.entries(components.schemas).map(
    ([name, schema]) => `${comment(schema.description, "")}export type ${name} = ${typeOf(schema, "")};\n`,
  );
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) =>
      describeOperation(`${method.toUpperCase()} ${path}`, operation),
    ),
  );
  return `/** The admin API's types, generated from /openapi.json by generate-types.ts; not to be edited. */
// biome-ignore-all format: generated

${types.join("\n")}
/** By method and path; \`params\`, \`query\` and \`body\` where there are any. */
export interface Operations {
${operations.join("")}}
`;
}

function describeOperation(name: string, { summary, parameters = [], requestBody, responses }: Operation): string {
  const answers = Object.entries(responses)
    .filter(([status]) => status.startsWith("2"))
    .map(([, { content }]) => (content === undefined ? "undefined" : contentType(content)));
  const parts = {
    params: parameterType(parameters, "path"),
    "query?": parameterType(parameters, "query"),
    [requestBody?.required === true ? "body" : "body?"]: requestBody && contentType(requestBody.content),
    answer: [...new Set(answers)].join(" | "),
  };
  const lines = Object.entries(parts).filter(([, type]) => type !== undefined);
  const fields = lines.map(([key, type]) => `    readonly ${key}: ${type};\n`).join("");
  return `${comment(summary, "  ")}  ${JSON.stringify(name)}: {\n${fields}  };\n`;
}

function parameterType(parameters: readonly Parameter[], place: string): string | undefined {
  const here = parameters.filter((parameter) => parameter.in === place);
  if (here.length === 0) return undefined;
  const required = here.filter((parameter) => parameter.required === true).map(({ name }) => name);
  const properties = Object.fromEntries(here.map(({ name, schema }) => [name, schema]));
  return typeOf({ type: "object", required, properties }, "    ");
}

function contentType(content: Content): string {
  const { schema } = content["application/json"] ?? {};
  return schema === undefined ? "string" : typeOf(schema, "    ");
}

function typeOf(schema: Schema, indent: string): string {
  if (schema.$ref !== undefined) return schema.$ref.split("/").at(-1) ?? "unknown";
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.anyOf !== undefined) return schema.anyOf.map((each) => typeOf(each, indent)).join(" | ");
  switch (schema.type) {
    case "object":
      return objectType(schema, indent);
    case "array":
      return `readonly (${typeOf(schema.items ?? {}, indent)})[]`;
    case "integer":
      return "number";
    case "string":
    case "number":
    case "boolean":
    case "null":
      return schema.type;
    default:
      return "unknown";
  }
}

function objectType(schema: Schema, indent: string): string {
  const { properties = {}, required = [], additionalProperties, patternProperties = {} } = schema;
  const fields = Object.entries(properties).map(([name, each]) => {
    const key = /^[a-zA-Z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
    const type = typeOf(each, `${indent}  `);
    return `${comment(each.description, `${indent}  `)}${indent}  readonly ${key}${required.includes(name) ? "" : "?"}: ${type};\n`;
  });
  const [others] = Object.values(patternProperties);
  const rest = others ?? (typeof additionalProperties === "object" ? additionalProperties : undefined);
  if (fields.length > 0) return `{\n${fields.join("")}${indent}}`;
  if (rest !== undefined) return `Readonly<Record<string, ${typeOf(rest, indent)}>>`;
  return additionalProperties === false ? "Readonly<Record<string, never>>" : "Readonly<Record<string, unknown>>";
}

function comment(text: string | undefined, indent: string): string {
  return text === undefined ? "" : `${indent}/** ${text.replaceAll("*/", "* /")} */\n`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href)
  process.stdout.write(generateTypes(JSON.parse(await text(process.stdin)) as Description));
