/** `explain`: what the gate decides for an address, and why. */

import type { Explanation } from "../core/explain.ts";
import { AdminClient, CLIENT_OPTIONS, tenantPath } from "./admin-client.ts";
import { argument, type Command, columns } from "./command.ts";

export const explain: Command = {
  summary: "Say what the gate decides for an address, and every step that led to it.",
  args: "TENANT ADDRESS",
  options: {
    path: { type: "string", value: "PATH", help: "the request's path (default /)" },
    user: { type: "string", value: "USER", help: "the person who asks, by e-mail or id" },
    ...CLIENT_OPTIONS,
  },
  async run(call) {
    const query = { ip: argument(call, 1), path: call.text("path"), user: call.text("user") };
    const data = await AdminClient.of(call).json("GET", tenantPath(argument(call, 0), "explain"), { query });
    return { data, text: describe(data as Explanation) };
  },
};

function describe({ verdict, status, steps }: Explanation): string {
  return `${verdict} (${status})\n${columns(steps.map(({ step, result, detail }) => [`  ${result}`, step, detail]))}`;
}
