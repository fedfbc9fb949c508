/** A DNS name on an allowlist, on the wire. */
import Type from "typebox";
import { closed, describedInstant, InstantSchema } from "./parts.ts";

export const NameSchema = Type.Object(
  {
    id: Type.String({ pattern: "^e[0-9a-z]{13}$" }),
    hostname: Type.String(),
    label: Type.String(),
    kind: Type.Literal("dns"),
    createdBy: Type.String({ description: "key:{id} or user:{id}." }),
    createdAt: InstantSchema,
    expiresAt: Type.Optional(InstantSchema),
    allowPrivate: Type.Boolean(),
    entries: Type.Array(Type.Object({ id: Type.String(), cidr: Type.String() }, closed), {
      description: "What it points to now: one entry for each network.",
    }),
    entriesUntil: Type.Optional(describedInstant("Until then they last if no answer comes.")),
    state: Type.Enum(["pending", "good", "failing"]),
    resolvedAt: Type.Optional(describedInstant("The last good answer.")),
    failingSince: Type.Optional(InstantSchema),
    error: Type.Optional(Type.String()),
    nextAt: describedInstant("When it is asked for next."),
    revision: Type.Integer(),
  },
  { ...closed, $id: "Name" },
);
