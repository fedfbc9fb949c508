/** `session …`: who is signed in at a tenant, by the admin API. */
import { AdminClient, CLIENT_OPTIONS, tenantPath } from "./admin-client.ts";
import { argument, type Command, columns } from "./command.ts";
import { findUser } from "./user.ts";

export const sessionList: Command = {
  summary: "List a tenant's live sessions, or those of one user.",
  args: "TENANT [USER]",
  options: CLIENT_OPTIONS,
  async run(call) {
    const path = tenantPath(argument(call, 0), "sessions");
    const client = AdminClient.of(call);
    const query = call.args[1] === undefined ? {} : { user: String((await findUser(call))["id"]) };
    const items = await Array.fromAsync(client.items(path, query));
    const rows = items.map((session) =>
      ["id", "email", "amr", "address", "lastSeenAt", "expiresAt"].map((key) => String(session[key] ?? "–")),
    );
    const head = ["ID", "EMAIL", "SIGNED IN BY", "FROM", "LAST SEEN", "EXPIRES"];
    return { data: { items }, text: rows.length === 0 ? "nobody is signed in" : columns([head, ...rows]) };
  },
};

export const sessionEnd: Command = {
  summary: "End a session, or all of a user's; in force on every edge when it returns.",
  args: "TENANT SESSION|USER",
  options: CLIENT_OPTIONS,
  async run(call) {
    const [tenant, what] = [argument(call, 0), argument(call, 1)];
    const path = what.startsWith("ses_")
      ? tenantPath(tenant, "sessions", what)
      : tenantPath(tenant, "users", String((await findUser(call))["id"]), "sessions");
    await AdminClient.of(call).text("DELETE", path, { query: { wait: "applied" } });
    return { data: { ended: what }, text: `signed ${what} out` };
  },
};
