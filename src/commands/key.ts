/** `key …`: the keys of the admin API. */
import { AdminClient, CLIENT_OPTIONS } from "./admin-client.ts";
import { argument, type Command, columns } from "./command.ts";

export const keyCreate: Command = {
  summary: "Create a key; it is shown this once.",
  args: "LABEL",
  options: {
    tenant: { type: "string", value: "TENANT", help: "for this tenant only (default: all)" },
    access: { type: "string", value: "ACCESS", help: "read or write (default read)" },
    "expires-at": { type: "string", value: "TIME", help: "RFC 3339, such as 2030-01-31T00:00:00Z" },
    ...CLIENT_OPTIONS,
  },
  async run(call) {
    const [tenant, expiresAt] = [call.text("tenant"), call.text("expires-at")];
    const body = {
      label: argument(call, 0),
      access: call.text("access") ?? "read",
      ...(tenant !== undefined && { tenant }),
      ...(expiresAt !== undefined && { expiresAt }),
    };
    const data = (await AdminClient.of(call).json("POST", "/v1/keys", { body })) as Record<string, unknown>;
    return {
      data,
      text: `${String(data["id"])}\n${String(data["key"] ?? data["token"])}\nKeep it now: it is not shown again.`,
    };
  },
};

export const keyList: Command = {
  summary: "List the keys, without their secrets.",
  args: "",
  options: CLIENT_OPTIONS,
  async run(call) {
    const items = await Array.fromAsync(AdminClient.of(call).items("/v1/keys"));
    const rows = items.map((key) =>
      ["id", "access", "tenant", "expiresAt", "lastUsedAt", "label"].map((name) => String(key[name] ?? "–")),
    );
    return { data: { items }, text: columns([["ID", "ACCESS", "TENANT", "EXPIRES", "LAST USED", "LABEL"], ...rows]) };
  },
};

export const keyRevoke: Command = {
  summary: "Revoke a key; it opens nothing from then on.",
  args: "KEY",
  options: CLIENT_OPTIONS,
  async run(call) {
    const id = argument(call, 0);
    await AdminClient.of(call).json("DELETE", `/v1/keys/${encodeURIComponent(id)}`);
    return { data: { revoked: id }, text: `revoked ${id}` };
  },
};
