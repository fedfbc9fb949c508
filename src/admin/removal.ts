/** What a request says about taking places off a list: for whom it is asked, and whether it is meant. */
import type { FastifyRequest } from "fastify";
import Type from "typebox";
import { parseAddress } from "../core/address.ts";
import { SallyportError } from "../core/errors.ts";
import type { Removal } from "../whitelist/removals.ts";
import { ChangeHeaders, force } from "./routes.ts";

export const RemovalHeaders = Type.Object({
  ...ChangeHeaders.properties,
  "sallyport-on-behalf-of-address": Type.Optional(
    Type.String({
      description:
        "Where the person is who asks for this. If it would leave that address nothing that admits it for another day, the answer is 409 confirmation_required unless confirm=true.",
    }),
  ),
});

export const removalQuery = {
  confirm: Type.Optional(
    Type.Boolean({ description: "The person has confirmed.", errorMessage: "must be true or false" }),
  ),
  force,
};

export const REMOVAL_REFUSALS = [
  "address_invalid",
  "confirmation_required",
  "lockout_refused",
  "precondition_failed",
] as const;

/** @throws SallyportError `address_invalid` */
export function removalOf({ headers, query }: Pick<FastifyRequest, "headers" | "query">): Removal {
  const { confirm = false, force: forced = false } = query as { confirm?: boolean; force?: boolean };
  const asked = headers["sallyport-on-behalf-of-address"];
  if (asked === undefined || confirm) return { force: forced };
  const onBehalfOf = parseAddress(String(asked));
  if (onBehalfOf === undefined)
    throw new SallyportError("address_invalid", "Sallyport-On-Behalf-Of-Address must be one IP address");
  return { onBehalfOf, force: forced };
}
