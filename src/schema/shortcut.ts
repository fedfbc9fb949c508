/** A shortcut on the wire: what a client sends, and what it gets. */
import Type from "typebox";
import { MAX_LABEL } from "../core/entry-input.ts";
import { secondsSchema } from "./entry.ts";
import { closed, describedInstant, InstantSchema } from "./parts.ts";

export const ShortcutInputSchema = Type.Object(
  {
    user: Type.Optional(
      Type.String({ description: "The id of the user whose it is; it ends with them.", maxLength: 100 }),
    ),
    label: Type.Optional(
      Type.String({
        description: "The device, as people call it; by default the user's name.",
        maxLength: MAX_LABEL * 2,
        examples: ["Anna's laptop"],
        errorMessage: `must be text of at most ${MAX_LABEL} characters`,
      }),
    ),
    idleSeconds: Type.Optional(
      secondsSchema("It ends when it is not used for so long; limits.shortcutIdle has default and cap."),
    ),
  },
  closed,
);

const storedFields = {
  id: Type.String({ pattern: "^sct_[0-9a-z]{26}$" }),
  label: Type.String(),
  user: Type.Optional(Type.String()),
  createdBy: Type.String({ description: "key:{id} or user:{id}." }),
  createdAt: InstantSchema,
  idleSeconds: Type.Integer(),
  expiresAt: describedInstant("When it ends unless it is used."),
  runs: Type.Integer(),
  lastRun: Type.Optional(
    Type.Object(
      { at: InstantSchema, address: Type.String(), cidr: Type.String(), userAgent: Type.String() },
      { ...closed, description: "When and from where it ran last." },
    ),
  ),
  entries: Type.Array(Type.String(), { description: "The entries that it holds now: one for each address family." }),
};

export const ShortcutSchema = Type.Object(
  { ...storedFields, revision: Type.Integer() },
  { ...closed, $id: "Shortcut" },
);

export const NewShortcutSchema = Type.Object(
  {
    ...storedFields,
    url: Type.String({ description: "Runs it, by its page or by a POST; shown this once.", format: "uri" }),
    revision: Type.Integer(),
  },
  { ...closed, $id: "NewShortcut" },
);
