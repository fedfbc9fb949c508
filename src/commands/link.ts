/** `link create|list|get|revoke`: whitelist links, by the admin API. */
import { AdminClient, CLIENT_OPTIONS, FORCE, forceOf, tenantPath } from "./admin-client.ts";
import { argument, type Call, type Command, columns, UsageError } from "./command.ts";

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

export const linkCreate: Command = {
  summary: "Make a link that lets whoever opens it in by one click; its address is shown this once.",
  args: "TENANT",
  options: {
    label: { type: "string", value: "TEXT", help: "whom or what it is for" },
    recipient: { type: "string", value: "EMAIL", help: "send it there" },
    ttl: { type: "string", value: "DURATION", help: "how long it can be used, such as 8h or 7d" },
    uses: { type: "string", value: "N", help: "how many places it admits" },
    "entry-ttl": { type: "string", value: "DURATION", help: "how long these stay admitted" },
    network: { type: "string", value: "CIDR", help: "from where it must be used" },
    ...CLIENT_OPTIONS,
  },
  async run(call) {
    const [label, recipient, allowedNetwork, uses] = ["label", "recipient", "network", "uses"].map((name) =>
      call.text(name),
    );
    const body = {
      ...(label !== undefined && { label }),
      ...(recipient !== undefined && { recipient }),
      ...(allowedNetwork !== undefined && { allowedNetwork }),
      ...(uses !== undefined && { maxUses: wholeNumber(uses) }),
      ...(call.text("ttl") !== undefined && { ttlSeconds: seconds(call, "ttl") }),
      ...(call.text("entry-ttl") !== undefined && { entryTtlSeconds: seconds(call, "entry-ttl") }),
    };
    const path = tenantPath(argument(call, 0), "links");
    const data = (await AdminClient.of(call).json("POST", path, { body })) as Record<string, unknown>;
    const sent = data["mailed"] === true ? `\nIt is sent to ${String(data["recipient"])}.` : "";
    const until = `good for ${String(data["maxUses"])} place(s) until ${String(data["expiresAt"])}`;
    return { data, text: `${String(data["url"])}\n${String(data["id"])}, ${until}${sent}` };
  },
};

export const linkList: Command = {
  summary: "List a tenant's links.",
  args: "TENANT",
  options: CLIENT_OPTIONS,
  async run(call) {
    const items = await Array.fromAsync(AdminClient.of(call).items(tenantPath(argument(call, 0), "links")));
    const rows = items.map((link) => [
      String(link["id"]),
      `${String(link["useCount"])}/${String(link["maxUses"])}`,
      ...["expiresAt", "lastUsedAt", "recipient", "label"].map((key) => String(link[key] ?? "–")),
    ]);
    const head = ["ID", "USES", "EXPIRES", "LAST USED", "RECIPIENT", "LABEL"];
    return { data: { items }, text: rows.length === 0 ? "no links" : columns([head, ...rows]) };
  },
};

export const linkGet: Command = {
  summary: "Show every use of a link.",
  args: "TENANT LINK",
  options: CLIENT_OPTIONS,
  async run(call) {
    const path = tenantPath(argument(call, 0), "links", argument(call, 1));
    const data = (await AdminClient.of(call).json("GET", path)) as { uses: readonly Record<string, unknown>[] };
    const keys = ["cidr", "address", "firstAt", "lastAt", "clicks", "removedAt", "userAgent"];
    const rows = data.uses.map((use) => keys.map((key) => String(use[key] ?? "–")));
    const head = ["CIDR", "ADDRESS", "FIRST", "LAST", "CLICKS", "REMOVED", "BROWSER"];
    return { data, text: rows.length === 0 ? "never used" : columns([head, ...rows]) };
  },
};

export const linkRevoke: Command = {
  summary: "Revoke a link; every place that it admitted is out at once.",
  args: "TENANT LINK",
  options: { ...FORCE, ...CLIENT_OPTIONS },
  async run(call) {
    const id = argument(call, 1);
    const query = { wait: "applied", ...forceOf(call) };
    await AdminClient.of(call).json("DELETE", tenantPath(argument(call, 0), "links", id), { query });
    return { data: { revoked: id }, text: `revoked ${id}` };
  },
};

function seconds(call: Call, option: string): number {
  const text = call.text(option) ?? "";
  const factor = /^[1-9][0-9]{0,8}[smhd]$/.test(text) ? SECONDS[text.slice(-1)] : undefined;
  if (factor === undefined) throw new UsageError(`--${option} must be a duration such as 8h or 7d`);
  return Number(text.slice(0, -1)) * factor;
}

function wholeNumber(text: string): number {
  if (!/^[1-9][0-9]{0,3}$/.test(text)) throw new UsageError("--uses must be a whole number");
  return Number(text);
}
