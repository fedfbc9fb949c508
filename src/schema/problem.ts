/** The one shape of an error on the wire (RFC 9457). */
import Type from "typebox";
import { ERROR_CODES } from "../core/errors.ts";
import { closed } from "./parts.ts";

const IssueSchema = Type.Object(
  {
    pointer: Type.Optional(Type.String({ description: "JSON pointer into the body, or /name of a query parameter." })),
    line: Type.Optional(Type.Integer({ description: "Of an imported text, from 1." })),
    message: Type.String(),
    hint: Type.Optional(Type.String({ description: "What to write instead." })),
  },
  closed,
);

export const ProblemSchema = Type.Object(
  {
    type: Type.String({ examples: ["urn:sallyport:error:address_invalid"] }),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.Enum([...ERROR_CODES], { description: "Stable: switch on this." }),
    detail: Type.Optional(Type.String()),
    requestId: Type.String({ description: "Also in the log and the audit log." }),
    issues: Type.Optional(Type.Array(IssueSchema)),
    applied: Type.Optional(
      Type.Array(Type.String(), { description: "not_applied: edges that have applied the change." }),
    ),
    pending: Type.Optional(Type.Array(Type.String(), { description: "not_applied: live edges that have not." })),
    checks: Type.Optional(Type.Unknown({ description: "not_ready: what is not." })),
  },
  { ...closed, $id: "Problem" },
);
