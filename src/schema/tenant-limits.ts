/** A tenant's limits on the wire: lifetimes with a default and a cap, and numbers. */
import Type, { type Static } from "typebox";
import type { Issue } from "../core/errors.ts";
import { type Allowance, DEFAULT_LIMITS, type TenantLimits } from "../core/tenant.ts";
import { durationSchema, durationSeconds, formatDuration } from "./duration.ts";
import { pointer } from "./issues.ts";
import { closed } from "./parts.ts";

/** The store commits what one link has brought at once when it is deleted. */
export const MOST_LINK_USES = 500;
const MOST_SECONDS = 10 * 365 * 86_400;
const LEAST_SECONDS = 60;

function lifetime(description: string, allowance: Allowance) {
  return Type.Optional(
    Type.Object(
      {
        default: Type.Optional(durationSchema("Where nothing is asked for.", formatDuration(allowance.default))),
        max: Type.Optional(durationSchema("The most that may be asked for.", formatDuration(allowance.max))),
      },
      { ...closed, description },
    ),
  );
}

const LIFETIMES = ["linkTtl", "linkEntryTtl", "selfEntryTtl", "shortcutIdle"] as const;
const Uses = (fallback: number) =>
  Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: MOST_LINK_USES,
      default: fallback,
      errorMessage: `must be a whole number from 1 to ${MOST_LINK_USES}`,
    }),
  );

export const TenantLimitsSchema = Type.Object(
  {
    entries: Type.Optional(
      Type.Integer({
        description: "Allowlist entries, where fewer than limits.entriesPerTenant of the configuration.",
        minimum: 1,
        maximum: 10_000_000,
        errorMessage: "must be a whole number of 1 or more",
      }),
    ),
    linkTtl: lifetime("How long a link can be used.", DEFAULT_LIMITS.linkTtl),
    linkUses: Type.Optional(
      Type.Object(
        { default: Uses(DEFAULT_LIMITS.linkUses.default), max: Uses(DEFAULT_LIMITS.linkUses.max) },
        { ...closed, description: "How many places one link can admit." },
      ),
    ),
    linkEntryTtl: lifetime("How long a place that a link admitted stays admitted.", DEFAULT_LIMITS.linkEntryTtl),
    selfEntryTtl: lifetime("How long a place that a person added stays admitted.", DEFAULT_LIMITS.selfEntryTtl),
    shortcutIdle: lifetime(
      "A shortcut ends when it is not used for so long, its entry with it.",
      DEFAULT_LIMITS.shortcutIdle,
    ),
  },
  closed,
);

/** With defaults filled in; a cap that is lowered alone lowers its default with it. */
export function parseLimits(given: Static<typeof TenantLimitsSchema>, issues: Issue[]): TenantLimits {
  const allowance = (name: (typeof LIFETIMES)[number] | "linkUses", least: number, most: number): Allowance => {
    const { default: usual, max } = given[name] ?? {};
    const read = (value: string | number | undefined) => (value === undefined ? undefined : durationSeconds(value));
    const cap = read(max) ?? Math.max(DEFAULT_LIMITS[name].max, read(usual) ?? 0);
    const parsed = { default: read(usual) ?? Math.min(cap, DEFAULT_LIMITS[name].default), max: cap };
    for (const field of ["default", "max"] as const)
      if (parsed[field] < least || parsed[field] > most)
        issues.push({ at: pointer("limits", name, field), message: `must be from ${least} to ${most}` });
    if (parsed.default > parsed.max)
      issues.push({ at: pointer("limits", name, "default"), message: "must not be more than max" });
    return parsed;
  };
  const of = (name: (typeof LIFETIMES)[number]) => allowance(name, LEAST_SECONDS, MOST_SECONDS);
  return {
    ...(given.entries === undefined ? {} : { entries: given.entries }),
    linkTtl: of("linkTtl"),
    linkUses: allowance("linkUses", 1, MOST_LINK_USES),
    linkEntryTtl: of("linkEntryTtl"),
    selfEntryTtl: of("selfEntryTtl"),
    shortcutIdle: of("shortcutIdle"),
  };
}

/** What {@link parseLimits} turns back into the same limits. */
export function limitsToWire(limits: TenantLimits = DEFAULT_LIMITS): Static<typeof TenantLimitsSchema> {
  const { entries, linkUses } = limits;
  const wire = ({ default: usual, max }: Allowance) => ({ default: formatDuration(usual), max: formatDuration(max) });
  return {
    ...(entries === undefined ? {} : { entries }),
    linkTtl: wire(limits.linkTtl),
    linkUses,
    linkEntryTtl: wire(limits.linkEntryTtl),
    selfEntryTtl: wire(limits.selfEntryTtl),
    shortcutIdle: wire(limits.shortcutIdle),
  };
}
