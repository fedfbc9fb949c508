/** `user …`: who may sign in at a tenant, by the admin API. A user is named by e-mail or id. */
import { SallyportError } from "../core/errors.ts";
import { AdminClient, CLIENT_OPTIONS, FORCE, forceOf, tenantPath } from "./admin-client.ts";
import { argument, type Call, type Command, columns, type Output } from "./command.ts";

type Item = Readonly<Record<string, unknown>>;

export const userList: Command = {
  summary: "List a tenant's users.",
  args: "TENANT",
  options: CLIENT_OPTIONS,
  async run(call) {
    const items = await Array.fromAsync(AdminClient.of(call).items(tenantPath(argument(call, 0), "users")));
    const rows = items.map((user) => [
      ...["id", "email", "role", "state"].map((key) => String(user[key])),
      kindsOf(user) || "–",
      String(user["lastSignInAt"] ?? "–"),
      String(user["name"] ?? "–"),
    ]);
    const head = ["ID", "EMAIL", "ROLE", "STATE", "FACTORS", "LAST SIGN-IN", "NAME"];
    return { data: { items }, text: rows.length === 0 ? "no users yet" : columns([head, ...rows]) };
  },
};

export const userGet: Command = {
  summary: "Show a user, and why they cannot sign in if they cannot.",
  args: "TENANT USER",
  options: CLIENT_OPTIONS,
  run: async (call) => shown(await findUser(call)),
};

export const userCreate: Command = {
  summary: "Create a user; invite them next.",
  args: "TENANT EMAIL",
  options: {
    name: { type: "string", value: "NAME", help: "how they are addressed" },
    role: { type: "string", value: "ROLE", help: "owner or user (default user)" },
    ...CLIENT_OPTIONS,
  },
  async run(call) {
    const [name, role] = [call.text("name"), call.text("role")];
    const body = { email: argument(call, 1), ...(name !== undefined && { name }), ...(role !== undefined && { role }) };
    return shown((await AdminClient.of(call).json("POST", tenantPath(argument(call, 0), "users"), { body })) as Item);
  },
};

export const userInvite: Command = {
  summary: "Invite a user to set a password and a second factor; earlier invitations are void.",
  args: "TENANT USER",
  options: CLIENT_OPTIONS,
  async run(call) {
    const data = (await act(call, "POST", "invite")) as Item;
    const mailed =
      data["mailed"] === true ? "It was mailed." : "No mail is set up: give it to them, and to nobody else.";
    return { data, text: `${String(data["link"])}\nGood once, until ${String(data["expiresAt"])}. ${mailed}` };
  },
};

export const userDisable: Command = changing("Disable a user; every session ends.", { state: "disabled" });
export const userEnable: Command = changing("Give a disabled user access back, and lift a lock.", { state: "active" });
export const userUnlock: Command = acting("Lift the lock and the delays after failed sign-ins.", "unlock");
export const userResetFactors: Command = acting(
  "Take a user's factors and recovery codes away (a lost phone); the next sign-in enrols anew.",
  "reset-factors",
);

export const userDelete: Command = {
  summary: "Delete a user with everything that proves them.",
  args: "TENANT USER",
  options: { ...FORCE, ...CLIENT_OPTIONS },
  async run(call) {
    await act(call, "DELETE");
    return { data: { deleted: argument(call, 1) }, text: `deleted ${argument(call, 1)}` };
  },
};

function changing(summary: string, body: object): Command {
  return {
    summary,
    args: "TENANT USER",
    options: { ...FORCE, ...CLIENT_OPTIONS },
    run: async (call) => shown((await act(call, "PATCH", undefined, body)) as Item),
  };
}

function acting(summary: string, action: string): Command {
  return {
    summary,
    args: "TENANT USER",
    options: CLIENT_OPTIONS,
    run: async (call) => shown((await act(call, "POST", action)) as Item),
  };
}

/** In force on every edge when it returns. */
async function act(call: Call, method: string, action?: string, body?: object): Promise<unknown> {
  const { id } = await findUser(call);
  const path = tenantPath(argument(call, 0), "users", String(id), ...(action === undefined ? [] : [action]));
  const query = { wait: "applied", ...forceOf(call) };
  return await AdminClient.of(call).json(method, path, body === undefined ? { query } : { query, body });
}

/** @throws SallyportError `not_found` */
export async function findUser(call: Call): Promise<Item> {
  const [tenant, who] = [argument(call, 0), argument(call, 1)];
  const client = AdminClient.of(call);
  if (!who.includes("@")) return (await client.json("GET", tenantPath(tenant, "users", who))) as Item;
  const page = (await client.json("GET", tenantPath(tenant, "users"), { query: { email: who } })) as { items: Item[] };
  const [user] = page.items;
  if (user === undefined) throw new SallyportError("not_found", `${tenant} has no user ${who}`);
  return user;
}

interface SignInOutlook {
  readonly possible: boolean;
  readonly reasons: readonly string[];
  readonly failures?: { readonly count: number; readonly since?: string; readonly waitUntil?: string };
}

function failuresOf({ count, since, waitUntil }: NonNullable<SignInOutlook["failures"]>): string {
  const from = since === undefined ? "" : ` since ${since}`;
  return `${count}${from}${waitUntil === undefined ? "" : `, wait until ${waitUntil}`}`;
}

function shown(user: Item): Output {
  const { signIn, factors: _, ...fields } = user;
  const { possible, reasons, failures } = signIn as SignInOutlook;
  const rows = Object.entries({
    ...fields,
    factors: kindsOf(user) || "none",
    signIn: possible ? "possible" : `not possible: ${reasons.join(", ")}`,
    ...(failures === undefined ? {} : { failures: failuresOf(failures) }),
  });
  return { data: user, text: columns(rows.map(([key, value]) => [key, String(value)])) };
}

function kindsOf(user: Item): string {
  return (user["factors"] as readonly { kind: string }[]).map(({ kind }) => kind).join(", ");
}
