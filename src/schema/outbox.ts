/** A mail of the outbox on the wire: where it stands, without what it says. */
import Type from "typebox";
import { closed, describedInstant, InstantSchema } from "./parts.ts";

export const MailSchema = Type.Object(
  {
    id: Type.String({ pattern: "^mail_[0-9a-z]{26}$" }),
    notice: Type.String({ description: "What it tells.", examples: ["invite"] }),
    to: Type.String({ description: "Masked.", examples: ["r•••@happyfeet.example"] }),
    state: Type.Enum(["queued", "sent", "dead"], { description: "dead: given up; it can be tried again." }),
    attempts: Type.Integer(),
    lastError: Type.Optional(Type.String({ examples: ["smtp 550"] })),
    createdAt: InstantSchema,
    dueAt: Type.Optional(describedInstant("When it is tried next.")),
    settledAt: Type.Optional(describedInstant("When it was sent or given up.")),
    expiresAt: describedInstant("After that its link is of no use."),
  },
  { ...closed, $id: "Mail" },
);
