/** An access request on the wire. */
import Type from "typebox";
import { MAX_LABEL } from "../core/entry-input.ts";
import { secondsSchema } from "./entry.ts";
import { closed, InstantSchema } from "./parts.ts";

export const AccessRequestSchema = Type.Object(
  {
    id: Type.String({ pattern: "^req_[0-9a-z]{13}$" }),
    address: Type.String(),
    cidr: Type.String({ description: "What an approval admits." }),
    userAgent: Type.String(),
    from: Type.String({ description: "Who they say they are; nothing proves it." }),
    note: Type.String(),
    reference: Type.Optional(Type.String({ description: "Of the block page." })),
    firstAt: InstantSchema,
    lastAt: InstantSchema,
    count: Type.Integer({ description: "How often it was asked." }),
    state: Type.Enum(["open", "approved", "dismissed"]),
    decidedAt: Type.Optional(InstantSchema),
    decidedBy: Type.Optional(Type.String({ description: "key:{id} or user:{id}." })),
    entry: Type.Optional(Type.String({ description: "The allowlist entry that the approval made." })),
    revision: Type.Integer(),
  },
  { ...closed, $id: "AccessRequest" },
);

export const ApprovalSchema = Type.Object(
  {
    label: Type.Optional(
      Type.String({
        description: "By default, who they say they are.",
        maxLength: MAX_LABEL * 2,
        errorMessage: `must be text of at most ${MAX_LABEL} characters`,
      }),
    ),
    ttlSeconds: Type.Optional(
      secondsSchema("How long the place stays admitted; limits.selfEntryTtl has default and cap."),
    ),
  },
  closed,
);
