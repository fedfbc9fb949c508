/** `tenant …`: the tenants, by the admin API. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parse as parseYaml } from "yaml";
import { AdminClient, CLIENT_OPTIONS, FORCE, forceOf, tenantPath } from "./admin-client.ts";
import { argument, type Call, type Command, columns, type Options, type Output, UsageError } from "./command.ts";

const FIELDS: Options = {
  name: { type: "string", value: "NAME", help: "the clinic's name" },
  host: { type: "string", value: "HOST,…", help: "its DNS names" },
  upstream: { type: "string", value: "URL,…", help: "where its application runs" },
  network: { type: "string", value: "MODE", help: "enforce, observe or off" },
  "second-factor": { type: "string", value: "MODE", help: "required or off" },
  file: { type: "string", value: "FILE", help: "all of it, as YAML or JSON" },
};

export const tenantList: Command = {
  summary: "List the tenants.",
  args: "",
  options: CLIENT_OPTIONS,
  async run(call) {
    const items = await Array.fromAsync(AdminClient.of(call).items("/v1/tenants"));
    const rows = items.map(({ id, name, hosts, upstreams }) => [
      String(id),
      String(name),
      String(hosts),
      String(upstreams),
    ]);
    return {
      data: { items },
      text: rows.length === 0 ? "no tenants yet" : columns([["ID", "NAME", "HOSTS", "UPSTREAMS"], ...rows]),
    };
  },
};

export const tenantGet: Command = {
  summary: "Show a tenant.",
  args: "TENANT",
  options: CLIENT_OPTIONS,
  run: async (call) => shown(await AdminClient.of(call).json("GET", tenantPath(argument(call, 0)))),
};

export const tenantCreate: Command = {
  summary: "Create a tenant.",
  args: "TENANT",
  options: { ...FIELDS, ...CLIENT_OPTIONS },
  async run(call) {
    const body = { id: argument(call, 0), ...fieldsOf(call) };
    return shown(await AdminClient.of(call).json("POST", "/v1/tenants", { body }));
  },
};

export const tenantSet: Command = {
  summary: "Change a tenant; what is not given stays.",
  args: "TENANT",
  options: { ...FIELDS, ...FORCE, ...CLIENT_OPTIONS },
  async run(call) {
    const body = fieldsOf(call);
    if (Object.keys(body).length === 0) throw new UsageError("nothing to change was given");
    const request = { body, query: forceOf(call) };
    return shown(await AdminClient.of(call).json("PATCH", tenantPath(argument(call, 0)), request));
  },
};

export const tenantDelete: Command = {
  summary: "Delete a tenant; its hosts are unknown from then on.",
  args: "TENANT",
  options: CLIENT_OPTIONS,
  async run(call) {
    const tenant = argument(call, 0);
    await AdminClient.of(call).json("DELETE", tenantPath(tenant));
    return { data: { deleted: tenant }, text: `deleted ${tenant}` };
  },
};

function fieldsOf(call: Call): Record<string, unknown> {
  const file = call.text("file");
  const fields =
    file === undefined ? {} : (parseYaml(readFileSync(resolve(call.base, file), "utf8")) as Record<string, unknown>);
  const policy: Record<string, string> = {};
  const [name, host, upstream] = [call.text("name"), call.text("host"), call.text("upstream")];
  const [network, secondFactor] = [call.text("network"), call.text("second-factor")];
  if (network !== undefined) policy["network"] = network;
  if (secondFactor !== undefined) policy["secondFactor"] = secondFactor;
  return {
    ...fields,
    ...(name !== undefined && { name }),
    ...(host !== undefined && { hosts: host.split(",") }),
    ...(upstream !== undefined && { upstreams: upstream.split(",") }),
    ...(Object.keys(policy).length > 0 && { policy: { ...(fields["policy"] as object | undefined), ...policy } }),
  };
}

function shown(tenant: unknown): Output {
  const { id, name, hosts, upstreams, policy, revision } = tenant as Record<string, unknown>;
  const rows = Object.entries({ id, name, hosts, upstreams, revision, ...(policy as object) });
  return {
    data: tenant,
    text: columns(rows.map(([key, value]) => [key, typeof value === "object" ? JSON.stringify(value) : String(value)])),
  };
}
