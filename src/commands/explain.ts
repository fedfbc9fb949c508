/** `explain`: what the gate decides for an address, or why it showed a reference. */
import { isIP } from "node:net";
import type { Explanation } from "../core/explain.ts";
import { AdminClient, CLIENT_OPTIONS, tenantPath } from "./admin-client.ts";
import { argument, type Command, columns } from "./command.ts";

export const explain: Command = {
  summary: "Say what the gate decides for an address, or for the reference on a page, and every step that led to it.",
  args: "TENANT ADDRESS-OR-REFERENCE",
  options: {
    path: { type: "string", value: "PATH", help: "the request's path (default /)" },
    user: { type: "string", value: "USER", help: "the person who asks, by e-mail or id" },
    ...CLIENT_OPTIONS,
  },
  async run(call) {
    const [tenant, asked] = [argument(call, 0), argument(call, 1)];
    const client = AdminClient.of(call);
    const denial = /^[\w-]{1,32}$/.test(asked) && isIP(asked) === 0 ? await find(client, tenant, asked) : undefined;
    const path = call.text("path") ?? denial?.path;
    const query = { ip: denial?.address ?? asked, path, user: call.text("user") };
    const data = (await client.json("GET", tenantPath(tenant, "explain"), { query })) as Explanation;
    if (denial === undefined) return { data, text: describe(data) };
    const { at, method, address, reason } = denial;
    const then = `${asked}: ${at} ${method} ${denial.path} from ${address}: ${reason}`;
    return { data: { denial, now: data }, text: `${then}\nnow: ${describe(data)}` };
  },
};

interface Denial {
  readonly at: string;
  readonly method: string;
  readonly path: string;
  readonly address: string;
  readonly reason: string;
}

async function find(client: AdminClient, tenant: string, reference: string): Promise<Denial> {
  return (await client.json("GET", tenantPath(tenant, "denials", reference))) as Denial;
}

function describe({ verdict, status, steps }: Explanation): string {
  return `${verdict} (${status})\n${columns(steps.map(({ step, result, detail }) => [`  ${result}`, step, detail]))}`;
}
