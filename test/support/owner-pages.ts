/** A clinic's owner at the portal without a screen: signed in once, reading and sending its forms. */
import { OWNER } from "./clinics.ts";
import { PageClient } from "./page-client.ts";
import { PASSWORD, totpCode } from "./person-door.ts";

const ROOT = "/.sallyport";

/** The first sign-in, which sets an authenticator up. */
export async function signInOwner(origin: string, email = OWNER): Promise<PageClient> {
  const client = new PageClient(origin);
  const page = await client.get(`${ROOT}/sign-in`);
  const chooser = await client.follow(await client.submit(page, `${ROOT}/sign-in`, { email, password: PASSWORD }));
  const begun = await client.follow(await client.submit(chooser, `${ROOT}/enrol/totp/begin`));
  const secret = (/<code class="secret">([^<]*)</.exec(begun.body)?.[1] ?? "").replaceAll(" ", "");
  const codes = await client.submit(begun, `${ROOT}/enrol/confirm`, { code: totpCode(secret, Date.now()) });
  if (codes.status !== 200) throw new Error(`the sign-in ended with ${codes.status}`);
  return client;
}
