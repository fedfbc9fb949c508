/** What is answered where there is no route: 405 with Allow where another method has one, else 404. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { pathOf } from "../core/target.ts";
import { sendProblem } from "./problem.ts";

/** Every route's path, as segments, and its methods. */
export class RouteTable {
  readonly #routes: { readonly segments: readonly string[]; readonly methods: readonly string[] }[] = [];

  add(methods: string | readonly string[], path: string): void {
    this.#routes.push({ segments: path.split("/"), methods: [methods].flat() });
  }

  /** The methods that the path can be asked with. */
  methodsOf(path: string): string[] {
    const asked = path.split("/");
    const fitting = this.#routes.filter(({ segments }) => fits(segments, asked));
    return [...new Set(fitting.flatMap(({ methods }) => methods))].sort((a, b) => (a < b ? -1 : 1));
  }
}

function fits(segments: readonly string[], asked: readonly string[]): boolean {
  if (segments.length !== asked.length) return false;
  return segments.every((segment, index) => (segment.startsWith(":") ? asked[index] !== "" : segment === asked[index]));
}

export function notFoundHandler(routes: RouteTable) {
  return (request: FastifyRequest, reply: FastifyReply) => {
    const allowed = routes.methodsOf(pathOf(request.url));
    if (allowed.length === 0) return sendProblem(reply, "not_found", "there is nothing here");
    void reply.header("allow", allowed.join(", "));
    return sendProblem(reply, "method_not_allowed", `use ${allowed.join(", ")}`);
  };
}
