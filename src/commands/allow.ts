/** `allow list|remove|import|export`: a tenant's allowlist, by the admin API. */
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { text as readAll } from "node:stream/consumers";
import { AdminClient, CLIENT_OPTIONS, FORCE, forceOf, tenantPath } from "./admin-client.ts";
import { argument, type Command, columns } from "./command.ts";

export const allowList: Command = {
  summary: "List a tenant's allowlist.",
  args: "TENANT",
  options: CLIENT_OPTIONS,
  async run(call) {
    const items = await Array.fromAsync(AdminClient.of(call).items(tenantPath(argument(call, 0), "allowlist")));
    const rows = items.map((entry) =>
      ["id", "cidr", "kind", "expiresAt", "lastSeenAt", "label"].map((key) => String(entry[key] ?? "–")),
    );
    const text =
      rows.length === 0
        ? "the list is empty: nobody is admitted by location"
        : columns([["ID", "CIDR", "KIND", "EXPIRES", "LAST SEEN", "LABEL"], ...rows]);
    return { data: { items }, text };
  },
};

export const allowRemove: Command = {
  summary: "Remove an entry, named by its id or its CIDR.",
  args: "TENANT ENTRY",
  options: { ...FORCE, ...CLIENT_OPTIONS },
  async run(call) {
    const [tenant, wanted] = [argument(call, 0), argument(call, 1)];
    const client = AdminClient.of(call);
    const ids: string[] = [];
    if (/[.:/]/.test(wanted)) {
      for await (const { id, cidr } of client.items(tenantPath(tenant, "allowlist"))) {
        if (cidr === wanted || cidr === `${wanted}/${wanted.includes(":") ? 128 : 32}`) ids.push(String(id));
      }
    } else ids.push(wanted);
    for (const id of ids) await client.json("DELETE", tenantPath(tenant, "allowlist", id), { query: forceOf(call) });
    const text = ids.length === 0 ? `${wanted} is not on the list of ${tenant}` : `removed ${wanted} from ${tenant}`;
    return { data: { removed: ids }, text, failed: ids.length === 0 };
  },
};

export const allowImport: Command = {
  summary: "Add all addresses of a file, or none: one a line, or CSV with a header.",
  args: "TENANT FILE",
  options: {
    "allow-broad": { type: "boolean", help: "allow prefixes shorter than /8 (IPv6: /32)" },
    ...CLIENT_OPTIONS,
  },
  async run(call) {
    const [tenant, file] = [argument(call, 0), argument(call, 1)];
    const content = file === "-" ? await readAll(process.stdin) : readFileSync(resolve(call.base, file), "utf8");
    const type = /^\s*"?cidr"?\s*(,|$)/im.test(content.slice(0, content.indexOf("\n") + 1)) ? "text/csv" : "text/plain";
    const data = (await AdminClient.of(call).json("POST", tenantPath(tenant, "allowlist", "import"), {
      text: { type, content },
      query: { allowBroad: call.flag("allow-broad") ? "true" : undefined },
    })) as Record<string, unknown>;
    return { data, text: `imported ${String(data["added"] ?? data["imported"] ?? "all")} entries into ${tenant}` };
  },
};

export const allowExport: Command = {
  summary: "Write a tenant's allowlist as CSV.",
  args: "TENANT [FILE]",
  options: CLIENT_OPTIONS,
  async run(call) {
    const [tenant, file] = [argument(call, 0), call.args[1]];
    const csv = await AdminClient.of(call).text("GET", tenantPath(tenant, "allowlist", "export"));
    if (file === undefined) return { data: { csv }, text: csv.trimEnd() };
    writeFileSync(resolve(call.base, file), csv, { mode: 0o600 });
    return { data: { written: file }, text: `wrote ${file}` };
  },
};
