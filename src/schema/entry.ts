/** An allowlist entry on the wire: what a client sends, and what it gets. */
import Type, { type Static } from "typebox";
import type { EntryView } from "../core/entries.ts";
import { MAX_LABEL, MAX_TTL_SECONDS } from "../core/entry-input.ts";
import { SallyportError } from "../core/errors.ts";
import { closed, describedInstant, InstantSchema } from "./parts.ts";

const LabelSchema = Type.String({
  description: "What people call the place; printable, at most 200 characters.",
  maxLength: MAX_LABEL * 2,
  examples: ["Reception, Main Street"],
  errorMessage: `must be text of at most ${MAX_LABEL} characters`,
});

const CidrSchema = Type.String({
  description: "A CIDR prefix or a single address, spelt strictly: no leading zeros, no host bits, no short forms.",
  maxLength: 200,
  examples: ["203.0.113.0/28", "2001:db8:7::/64"],
  errorMessage: "must be a CIDR prefix or an address, as text",
});

export const ExpiresAtSchema = Type.String({
  description: "RFC 3339, in the future.",
  maxLength: 40,
  examples: ["2031-01-01T00:00:00Z"],
  errorMessage: "must be an RFC 3339 time such as 2031-01-01T00:00:00Z",
});

/** How long something lasts; the same bounds wherever a lifetime is asked for. */
export function secondsSchema(description: string) {
  return Type.Integer({
    description,
    minimum: 1,
    maximum: MAX_TTL_SECONDS,
    errorMessage: `must be a whole number of seconds from 1 to ${MAX_TTL_SECONDS}`,
  });
}

export const TtlSecondsSchema = secondsSchema("Seconds from now, in place of expiresAt.");

const AllowBroadSchema = Type.Boolean({
  description: "Admits a prefix shorter than /8 (IPv4) or /32 (IPv6). Audited.",
  errorMessage: "must be true or false",
});

const inputFields = {
  cidr: CidrSchema,
  label: Type.Optional(LabelSchema),
  expiresAt: Type.Optional(ExpiresAtSchema),
  ttlSeconds: Type.Optional(TtlSecondsSchema),
};

export const EntryInputSchema = Type.Object(
  {
    ...inputFields,
    cidr: Type.Optional(CidrSchema),
    hostname: Type.Optional(
      Type.String({
        description: "A DNS name in place of cidr: all its addresses, followed at its TTL.",
        maxLength: 260,
        examples: ["happyfeet.dyndns.example"],
        errorMessage: "must be a DNS name, as text",
      }),
    ),
    kind: Type.Optional(
      Type.Enum(["static", "dns"], {
        description: "Follows from cidr or hostname, and must agree where it is stated.",
        errorMessage: "must be static with cidr, or dns with hostname",
      }),
    ),
    allowBroad: Type.Optional(AllowBroadSchema),
    allowPrivate: Type.Optional(
      Type.Boolean({
        description: "With hostname: private and loopback answers count too.",
        errorMessage: "must be true or false",
      }),
    ),
  },
  closed,
);
export type EntryInputWire = Static<typeof EntryInputSchema>;

/** A body that names an address, or one that names a host: never both, never neither. @throws SallyportError `body_invalid` */
export function readEntryBody({
  cidr,
  hostname,
  kind,
  allowBroad,
  allowPrivate,
  ...rest
}: EntryInputWire):
  | (Omit<EntryInputWire, "cidr" | "hostname" | "kind" | "allowPrivate"> & { readonly cidr: string })
  | (Omit<EntryInputWire, "cidr" | "hostname" | "kind" | "allowBroad"> & { readonly hostname: string }) {
  const misplaced =
    cidr === undefined
      ? { allowBroad, kind: kind === "static" ? kind : undefined }
      : { hostname, allowPrivate, kind: kind === "dns" ? kind : undefined };
  const [at] = Object.entries(misplaced).find(([, value]) => value !== undefined) ?? [];
  if (at !== undefined) {
    const message = cidr === undefined ? "must not stand beside hostname" : "must not stand beside cidr";
    throw new SallyportError("body_invalid", `${at} ${message}`, { issues: [{ at: `/${at}`, message }] });
  }
  if (cidr !== undefined) return { ...rest, cidr, ...(allowBroad === undefined ? {} : { allowBroad }) };
  if (hostname !== undefined) return { ...rest, hostname, ...(allowPrivate === undefined ? {} : { allowPrivate }) };
  const issues = [{ at: "/cidr", message: "is required", hint: "or hostname, for a DNS name" }];
  throw new SallyportError("body_invalid", "cidr is required", { issues });
}

/** The CIDR never changes: another place is another entry. */
export const EntryChangeSchema = Type.Object(
  {
    label: Type.Optional(LabelSchema),
    expiresAt: Type.Optional(
      Type.Union([ExpiresAtSchema, Type.Null()], {
        description:
          "null: no longer expires. An entry of another kind than static always ends: within its tenant's cap, or (dns) with its name.",
        errorMessage: "must be an RFC 3339 time such as 2031-01-01T00:00:00Z, or null",
      }),
    ),
    ttlSeconds: Type.Optional(TtlSecondsSchema),
  },
  { ...closed, minProperties: 1, errorMessage: "must be an object with label, expiresAt or ttlSeconds" },
);

export const AllowlistSchema = Type.Object(
  {
    items: Type.Array(Type.Object(inputFields, closed), { errorMessage: "must be a list of entries" }),
    allowBroad: Type.Optional(AllowBroadSchema),
  },
  closed,
);

const storedFields = {
  id: Type.String({ pattern: "^e[0-9a-z]{13}$" }),
  cidr: Type.String({ description: "Canonical." }),
  label: Type.String(),
  kind: Type.Enum(["static", "link", "shortcut", "self", "dns"]),
  createdBy: Type.String({ description: "key:{id}, user:{id}, link:{id}, shortcut:{id}, config or break-glass." }),
  createdAt: InstantSchema,
  expiresAt: Type.Optional(InstantSchema),
  sourceId: Type.Optional(Type.String({ description: "The link, shortcut or name that it came from." })),
};

export const EntrySchema = Type.Object(
  {
    ...storedFields,
    lastSeenAt: Type.Optional(describedInstant("When it last admitted somebody, to the minute.")),
    revision: Type.Integer(),
  },
  { ...closed, $id: "Entry" },
);

const DifferenceItem = Type.Array(
  Type.Object(
    {
      ...storedFields,
      revision: Type.Optional(
        Type.Integer({
          description:
            "In a dry run: the present one of an entry that is there. After a replacement, what was added or changed has the answer's.",
        }),
      ),
    },
    closed,
  ),
);

/** What refuses a list that takes places away, unless it is asked again with force or confirm. */
export const GUARDS = ["lockout_refused", "confirmation_required"] as const;

export const DifferenceSchema = Type.Object(
  {
    dryRun: Type.Boolean(),
    added: DifferenceItem,
    removed: DifferenceItem,
    changed: DifferenceItem,
    unchanged: Type.Integer(),
    counts: Type.Object({ added: Type.Integer(), removed: Type.Integer(), changed: Type.Integer() }, closed),
    truncated: Type.Boolean({ description: "Not all of the differences are listed; counts has their numbers." }),
    refusedBy: Type.Optional(
      Type.Enum([...GUARDS, "entry_limit"], {
        description: "In a dry run: the list itself would be refused with this code, the first that applies.",
      }),
    ),
    revision: Type.Integer({ description: "Of the list as a whole." }),
  },
  { ...closed, $id: "Difference" },
);

export const ImportResultSchema = Type.Object(
  { imported: Type.Integer({ description: "How many entries were added." }), revision: Type.Integer() },
  { ...closed, $id: "ImportResult" },
);

export function entryToWire({ entry, revision, lastSeenAt }: EntryView) {
  return { ...entry, ...(lastSeenAt === undefined ? {} : { lastSeenAt }), revision };
}
