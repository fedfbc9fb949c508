/** A user on the wire: what a client sends, and what it gets. */
import Type from "typebox";
import { closed, describedInstant, InstantSchema } from "./parts.ts";

const EmailSchema = Type.String({
  description: "The login; unique within the tenant.",
  maxLength: 320,
  examples: ["reception@happyfeet.example"],
  errorMessage: "must be an e-mail address",
});
const NameSchema = Type.String({
  description: "How the person is addressed. Kept as sent; what does not show is refused.",
  pattern: "\\S",
  maxLength: 60,
  errorMessage: "must be 1 to 60 characters",
});
const RoleSchema = Type.Enum(["owner", "user"], {
  description: "owner: may manage the tenant's users and allowlist on the portal.",
  errorMessage: "must be owner or user",
});

export const UserInputSchema = Type.Object(
  {
    email: EmailSchema,
    name: Type.Optional(NameSchema),
    role: Type.Optional(RoleSchema),
    password: Type.Optional(
      Type.String({
        description: "By the same rules as a person's own choice. Without it the user is invited.",
        maxLength: 1024,
        errorMessage: "must be text",
      }),
    ),
  },
  closed,
);

export const UserChangeSchema = Type.Object(
  {
    email: Type.Optional(EmailSchema),
    name: Type.Optional(
      Type.Union([NameSchema, Type.Null()], {
        description: "null takes it away.",
        errorMessage: "must be 1 to 60 characters, or null",
      }),
    ),
    role: Type.Optional(RoleSchema),
    state: Type.Optional(
      Type.Enum(["active", "disabled"], {
        description: "disabled ends every session. active gives access back, and lifts a lock.",
        errorMessage: "must be active or disabled",
      }),
    ),
  },
  { ...closed, minProperties: 1, errorMessage: "must be an object with email, name, role or state" },
);

const FailuresSchema = Type.Object(
  {
    count: Type.Integer({ minimum: 1 }),
    since: Type.Optional(InstantSchema),
    waitUntil: Type.Optional(describedInstant("Before it, whoever failed like that is not judged.")),
  },
  { ...closed, description: "Failed attempts with this login that no sign-in from there has followed yet." },
);

export const UserSchema = Type.Object(
  {
    id: Type.String({ pattern: "^usr_[0-9a-z]{26}$" }),
    email: Type.String(),
    name: Type.Optional(Type.String()),
    role: RoleSchema,
    state: Type.Enum(["invited", "active", "disabled", "locked"]),
    factors: Type.Array(
      Type.Object(
        {
          id: Type.String(),
          kind: Type.Enum(["totp", "sms", "passkey", "recovery"]),
          name: Type.String(),
          createdAt: InstantSchema,
          lastUsedAt: Type.Optional(InstantSchema),
        },
        closed,
      ),
    ),
    signIn: Type.Object(
      {
        possible: Type.Boolean(),
        reasons: Type.Array(
          Type.Enum(["disabled", "locked", "waiting", "no-password", "no-usable-factor", "not-enrolled"]),
          {
            description: "Why this person cannot sign in.",
          },
        ),
        failures: Type.Optional(FailuresSchema),
      },
      closed,
    ),
    createdAt: InstantSchema,
    lastSignInAt: Type.Optional(InstantSchema),
    revision: Type.Integer({ description: "Of what is managed here; factors, locks and sign-ins do not move it." }),
  },
  { ...closed, $id: "User" },
);

export const InvitationSchema = Type.Object(
  {
    link: Type.String({ description: "For the person alone: whoever has it sets the password." }),
    expiresAt: InstantSchema,
    mailed: Type.Boolean({ description: "Whether it goes to them by mail; otherwise deliver it." }),
  },
  { ...closed, $id: "Invitation" },
);

export const TicketInputSchema = Type.Object(
  {
    path: Type.Optional(
      Type.String({
        description: "Where the browser goes afterwards, on the tenant's host. Default /.",
        maxLength: 2048,
        pattern: "^/",
        errorMessage: "must be a path that starts with /",
      }),
    ),
  },
  closed,
);

export const SignInTicketSchema = Type.Object(
  {
    url: Type.String({ description: "Send the person's browser there, on the tenant's first host. Good once." }),
    token: Type.String({ description: "For /.sallyport/ticket/{token} on another of its hosts." }),
    expiresAt: InstantSchema,
  },
  { ...closed, $id: "SignInTicket" },
);
