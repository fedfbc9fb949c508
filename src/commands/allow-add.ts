/** `allow add`: admits a place; `--offline` is the break-glass way, when the admin API cannot be reached. */
import { carryOut } from "../core/change.ts";
import { systemClock } from "../core/clock.ts";
import { EntryRules } from "../core/entries.ts";
import type { EntryInput } from "../core/entry-input.ts";
import { SallyportError } from "../core/errors.ts";
import type { TenantId } from "../core/ids.ts";
import { Ledger } from "../observe/ledger.ts";
import { AdminClient, CLIENT_OPTIONS, tenantPath } from "./admin-client.ts";
import { argument, type Call, type Command, type Output, UsageError } from "./command.ts";
import { withLocalStore } from "./local-store.ts";

/** Break-glass is for getting through the day, not for staying. */
const OFFLINE_TTL_SECONDS = 7 * 86_400;
const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

export const allowAdd: Command = {
  summary: "Admit an address or a prefix.",
  args: "TENANT CIDR",
  options: {
    label: { type: "string", value: "TEXT", help: "what it is" },
    ttl: { type: "string", value: "DURATION", help: "for how long, such as 8h or 30d" },
    "allow-broad": { type: "boolean", help: "allow a prefix shorter than /8 (IPv6: /32)" },
    offline: { type: "boolean", help: "break-glass: write to the SQLite store itself; --ttl is needed, at most 7d" },
    ...CLIENT_OPTIONS,
  },
  async run(call) {
    const ttl = call.text("ttl");
    const body = {
      cidr: argument(call, 1),
      label: call.text("label") ?? "",
      ...(ttl !== undefined && { ttlSeconds: ttlSeconds(ttl) }),
      ...(call.flag("allow-broad") && { allowBroad: true }),
    };
    if (call.flag("offline")) return addOffline(call, argument(call, 0), body);
    const path = tenantPath(argument(call, 0), "allowlist");
    const data = await AdminClient.of(call).json("POST", path, { body, query: { wait: "applied" } });
    return added(data as { id: string; cidr: string; expiresAt?: string }, data);
  },
};

function ttlSeconds(text: string): number {
  const [, digits, unit = ""] = /^([1-9][0-9]{0,8})([smhd])$/.exec(text) ?? [];
  const seconds = Number(digits) * (SECONDS[unit] ?? Number.NaN);
  if (Number.isNaN(seconds)) throw new UsageError("--ttl must be a duration such as 90s, 15m, 8h or 30d");
  return seconds;
}

/** The same rules, limits and audit as by the API. A running control finds the entry by itself. */
async function addOffline(call: Call, tenant: string, input: EntryInput): Promise<Output> {
  if (input.ttlSeconds === undefined || input.ttlSeconds > OFFLINE_TTL_SECONDS)
    throw new UsageError("--offline needs --ttl, of 7d at most");
  return withLocalStore(call, async ({ loaded: { config }, store, keyring }) => {
    if (!config.store.url.startsWith("sqlite:")) {
      throw new SallyportError(
        "config_invalid",
        "--offline works on a SQLite store; a shared store serves any node's admin API",
      );
    }
    const rules = new EntryRules({ store, clock: systemClock, entriesPerTenant: config.limits.entriesPerTenant });
    const ledger = new Ledger({ store, keyring, chain: "cli", clock: systemClock });
    const author = { actor: { kind: "cli", id: "break-glass" } } as const;
    const origin = { kind: "static", createdBy: "break-glass" } as const;
    const { result } = await carryOut(ledger, () => rules.planCreate(tenant as TenantId, input, origin, author));
    return added(result, result);
  });
}

function added({ id, cidr, expiresAt }: { id: string; cidr: string; expiresAt?: string }, data: unknown): Output {
  return { data, text: `admitted ${cidr}${expiresAt === undefined ? "" : ` until ${expiresAt}`} (${id})` };
}
