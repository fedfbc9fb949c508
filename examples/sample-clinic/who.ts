/** Who is signed in, as far as the gate's assertion proves it; `examples/verify-assertion` shows this by itself. */
import type { IncomingMessage } from "node:http";
import { createRemoteJWKSet, jwtVerify } from "jose";

export type Who = (request: IncomingMessage) => Promise<string | undefined>;

/** @param gate an origin at which the gate publishes its keys; without one nobody is believed */
export function openWho(gate: string | undefined): Who {
  if (gate === undefined) return async () => undefined;
  const keys = createRemoteJWKSet(new URL("/.sallyport/jwks.json", gate));
  return async ({ headers }) => {
    const assertion = headers["sallyport-assertion"];
    const host = headers["x-forwarded-host"];
    if (typeof assertion !== "string" || typeof host !== "string") return undefined;
    const expected = { issuer: `https://${host}`, audience: host, algorithms: ["EdDSA"], requiredClaims: ["exp"] };
    try {
      const { payload } = await jwtVerify(assertion, keys, expected);
      return typeof payload["email"] === "string" ? payload["email"] : undefined;
    } catch {
      return undefined;
    }
  };
}
