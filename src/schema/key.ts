/** A key of the admin API on the wire. Its token is shown once, when it is made. */
import Type from "typebox";
import { type KeyView, withoutHash } from "../core/keys.ts";
import { ExpiresAtSchema, TtlSecondsSchema } from "./entry.ts";
import { closed, InstantSchema } from "./parts.ts";
import { TenantIdSchema } from "./tenant.ts";

const AccessSchema = Type.Enum(["read", "write"], {
  description: "read: GET alone. write: everything within its scope.",
  errorMessage: "must be read or write",
});

export const KeyInputSchema = Type.Object(
  {
    label: Type.Optional(
      Type.String({
        maxLength: 200,
        errorMessage: "must be at most 200 characters",
        examples: ["portal backend"],
      }),
    ),
    tenant: Type.Optional(TenantIdSchema),
    access: AccessSchema,
    expiresAt: Type.Optional(ExpiresAtSchema),
    ttlSeconds: Type.Optional(TtlSecondsSchema),
  },
  closed,
);

const fields = {
  id: Type.String({ pattern: "^key_[0-9a-z]{26}$" }),
  label: Type.String(),
  tenant: Type.Optional(Type.String({ description: "The one tenant that it is for; every tenant without." })),
  access: AccessSchema,
  createdBy: Type.String(),
  createdAt: InstantSchema,
  expiresAt: Type.Optional(InstantSchema),
  lastUsedAt: Type.Optional(InstantSchema),
  revision: Type.Integer(),
};

export const KeySchema = Type.Object(fields, { ...closed, $id: "Key" });

export const NewKeySchema = Type.Object(
  { ...fields, token: Type.String({ description: "Shown this once. Send it as Authorization: Bearer." }) },
  { ...closed, $id: "NewKey" },
);

export function keyToWire({ key, revision, lastUsedAt }: KeyView) {
  return { ...withoutHash(key), ...(lastUsedAt === undefined ? {} : { lastUsedAt }), revision };
}
