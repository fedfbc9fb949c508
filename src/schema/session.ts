/** A live session on the wire. Nothing in it opens a door. */
import Type from "typebox";
import { closed, describedInstant, InstantSchema } from "./parts.ts";

export const SessionSchema = Type.Object(
  {
    id: Type.String({ pattern: "^ses_[\\w-]{20}$" }),
    user: Type.String({ description: "The user's id." }),
    email: Type.String(),
    amr: Type.Array(Type.String(), {
      description: "How the person signed in (RFC 8176).",
      examples: [["pwd", "otp", "mfa"]],
    }),
    createdAt: InstantSchema,
    lastSeenAt: describedInstant("Its last request, to some seconds."),
    address: Type.String({ description: "Where it began." }),
    userAgent: Type.String({ description: "The browser in which it began." }),
    expiresAt: describedInstant("Ends then at the latest; when idle, before."),
  },
  { ...closed, $id: "Session" },
);
