/** How long an entry may last, by what brought it: what comes by itself always ends. */
import type { AllowlistEntry, EntryKind } from "./entry.ts";
import { SallyportError } from "./errors.ts";
import { DEFAULT_LIMITS, type TenantLimits } from "./tenant.ts";

const CAPS = { link: "linkEntryTtl", self: "selfEntryTtl", shortcut: "shortcutIdle" } as const;

/** The most seconds from now that anybody may give it: `Infinity` where it need not end, 0 where its end is its name's. */
export function longestTtlSeconds(kind: EntryKind, limits: TenantLimits = DEFAULT_LIMITS): number {
  if (kind === "static") return Infinity;
  return kind === "dns" ? 0 : limits[CAPS[kind]].max;
}

/** Whether an entry may be given this end. That it keeps its own is no question. */
export function mayEnd(
  entry: AllowlistEntry,
  expiresAt: string | undefined,
  nowMs: number,
  limits: TenantLimits | undefined,
): boolean {
  if (expiresAt === entry.expiresAt) return true;
  const endMs = expiresAt === undefined ? Infinity : Date.parse(expiresAt);
  return endMs <= nowMs + longestTtlSeconds(entry.kind, limits) * 1000;
}

/** The end of an entry that stays where a whole list is replaced: what came by itself keeps its own unless one is asked. */
export function endInPlace({ kind, expiresAt }: AllowlistEntry, asked: string | undefined): string | undefined {
  const keepsOwn = kind === "dns" || (kind !== "static" && asked === undefined);
  return keepsOwn ? expiresAt : asked;
}

/** The refusal of an end that an entry may not be given. @param at the field that asked for it */
export function endRefused(kind: EntryKind, limits: TenantLimits | undefined, at: string): SallyportError {
  const field = at.slice(1);
  const [message, hint] =
    kind === "dns"
      ? ["is not this entry's own: it lasts as long as its name", "make the name anew with another end"]
      : [
          `must be within ${longestTtlSeconds(kind, limits)} seconds: an entry of kind ${kind} always ends`,
          "the cap is the tenant's; what is to stay is an entry of its own",
        ];
  return new SallyportError("body_invalid", `${field} ${message}`, { issues: [{ at, message, hint }] });
}
