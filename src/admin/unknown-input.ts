/** What a route does not ask for is refused on every route, also where it asks for nothing at all. */
import type { RouteOptions } from "fastify";
import Type from "typebox";
import { Shape } from "../schema/issues.ts";
import { closed } from "../schema/parts.ts";
import type { Api } from "./routes.ts";

const Nothing = Type.Object({}, closed);
const nothing = new Shape(Nothing);

/** For the routes that come after it in this scope. A body of nothing (`{}`, `null`) says nothing, and is let pass. */
export function refuseUnknownInput(api: Api): void {
  api.addHook("onRoute", (route: RouteOptions) => {
    route.schema = { querystring: Nothing, ...route.schema };
  });
  api.addHook("preValidation", async ({ routeOptions, body }) => {
    if (routeOptions.schema?.body === undefined) nothing.parse(body ?? {}, "the body");
  });
}
