/** The public keys with which an application verifies `Sallyport-Assertion` (RFC 7517). */
import type { PersonPages } from "./person-pages.ts";
import type { Route } from "./route.ts";

/** A new key is published a quarter of an hour before it signs. */
const MAX_AGE_SECONDS = 300;

export function jwksRoutes({ person }: PersonPages): Route[] {
  return [
    {
      method: "GET",
      path: "jwks.json",
      handle: async () => {
        const body = await person.assertions.jwks();
        return { kind: "json", status: 200, body, maxAgeSeconds: MAX_AGE_SECONDS };
      },
    },
  ];
}
