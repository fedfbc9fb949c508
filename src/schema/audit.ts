/** An audit record on the wire: exactly as it is stored, so that its hash can be checked. */
import Type from "typebox";
import { closed, InstantSchema } from "./parts.ts";

const ActorSchema = Type.Object(
  {
    kind: Type.Enum(["key", "user", "link", "shortcut", "system", "cli"]),
    id: Type.String(),
    address: Type.Optional(Type.String()),
  },
  closed,
);

export const AuditRecordSchema = Type.Object(
  {
    chain: Type.String({ description: "The node that wrote it." }),
    seq: Type.Integer({ description: "1, 2, 3 … within the chain." }),
    at: InstantSchema,
    action: Type.String({ examples: ["entry.created"] }),
    tenant: Type.Optional(Type.String()),
    actor: ActorSchema,
    requestId: Type.Optional(Type.String()),
    target: Type.Optional(Type.String()),
    before: Type.Optional(Type.Unknown()),
    after: Type.Optional(Type.Unknown()),
    prevHash: Type.String(),
    hash: Type.String({ description: "SHA-256, in hex, of the record's canonical JSON without this field." }),
  },
  { ...closed, $id: "AuditRecord" },
);

export const ChainHeadSchema = Type.Object(
  {
    chain: Type.String({ description: "The node that writes it." }),
    length: Type.Integer({ description: "The seq of the chain's last record." }),
    hash: Type.String({ description: "The hash of the chain's last record." }),
    genuine: Type.Boolean({ description: "Whether the head's seal opens with the installation's key." }),
  },
  { ...closed, $id: "ChainHead" },
);
