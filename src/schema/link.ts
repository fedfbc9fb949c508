/** A whitelist link on the wire: what a client sends, and what it gets. */

import Type from "typebox";
import { MAX_LABEL } from "../core/entry-input.ts";
import { secondsSchema } from "./entry.ts";
import { closed, describedInstant, InstantSchema } from "./parts.ts";
import { MOST_LINK_USES } from "./tenant-limits.ts";

const LabelSchema = Type.String({
  description: "What people call the place or person; the entries have it too.",
  maxLength: MAX_LABEL * 2,
  examples: ["Night shift, remote"],
  errorMessage: `must be text of at most ${MAX_LABEL} characters`,
});

const inputFields = {
  label: Type.Optional(LabelSchema),
  recipient: Type.Optional(
    Type.String({
      description: "Where the gate sends it by e-mail, unless the tenant's mail is own.",
      maxLength: 320,
      errorMessage: "must be an e-mail address",
    }),
  ),
  ttlSeconds: Type.Optional(secondsSchema("How long it can be used; limits.linkTtl has default and cap.")),
  maxUses: Type.Optional(
    Type.Integer({
      description: "How many networks it admits; limits.linkUses has default and cap.",
      minimum: 1,
      maximum: MOST_LINK_USES,
      errorMessage: `must be a whole number from 1 to ${MOST_LINK_USES}`,
    }),
  ),
  entryTtlSeconds: Type.Optional(
    secondsSchema("How long what it admits stays admitted; limits.linkEntryTtl has default and cap."),
  ),
  allowedNetwork: Type.Optional(
    Type.String({
      description: "A CIDR prefix from which it must be used.",
      maxLength: 200,
      examples: ["198.51.100.0/24"],
      errorMessage: "must be a CIDR prefix or an address, as text",
    }),
  ),
};

export const LinkInputSchema = Type.Object(inputFields, closed);

const storedFields = {
  id: Type.String({ pattern: "^lnk_[0-9a-z]{26}$" }),
  label: Type.String(),
  recipient: Type.Optional(Type.String()),
  createdBy: Type.String({ description: "key:{id} or user:{id}." }),
  createdAt: InstantSchema,
  expiresAt: describedInstant("Until then it can be used."),
  maxUses: Type.Integer(),
  entryTtlSeconds: Type.Integer(),
  allowedNetwork: Type.Optional(Type.String({ description: "Canonical." })),
  useCount: Type.Integer({ description: "How many networks it admitted." }),
  lastUsedAt: Type.Optional(InstantSchema),
};

export const LinkSchema = Type.Object({ ...storedFields, revision: Type.Integer() }, { ...closed, $id: "Link" });

const UseSchema = Type.Object(
  {
    id: Type.String(),
    cidr: Type.String({ description: "What was admitted." }),
    address: Type.String({ description: "From where it was used last." }),
    userAgent: Type.String(),
    firstAt: InstantSchema,
    lastAt: InstantSchema,
    clicks: Type.Integer({ description: "How often; more than once from one network is one use." }),
    entry: Type.String({ description: "The allowlist entry." }),
    companion: Type.Optional(
      Type.Object(
        { entry: Type.String(), cidr: Type.String(), address: Type.String() },
        { ...closed, description: "The address of the other family, admitted in the same click." },
      ),
    ),
    removedAt: Type.Optional(
      describedInstant(
        "What it admitted was taken back before its time, by whatever way; the link admits this network no more.",
      ),
    ),
  },
  closed,
);

export const LinkWithUsesSchema = Type.Object(
  { ...storedFields, uses: Type.Array(UseSchema, { description: "The latest first." }), revision: Type.Integer() },
  { ...closed, $id: "LinkWithUses" },
);

export const NewLinkSchema = Type.Object(
  {
    ...storedFields,
    url: Type.String({
      description: "Opens the page of one click that lets whoever has it in; shown this once.",
      format: "uri",
    }),
    mailed: Type.Boolean({ description: "The gate sends it to the recipient." }),
    revision: Type.Integer(),
  },
  { ...closed, $id: "NewLink" },
);
