/** The switcher: a clinic that gives a user somebody's e-mail address does not learn where else that person works. */
import t from "tap";
import { ROOT } from "../../src/pages/route.ts";
import { CLINIC, OTHER_CLINIC, OWNER, startClinics } from "../support/clinics.ts";
import { mailedLink } from "../support/mailed-link.ts";
import { PageClient } from "../support/page-client.ts";
import { PASSWORD, totpCode } from "../support/person-door.ts";

t.test("other clinics show once the mailbox was read", async (t) => {
  const clinics = await startClinics(t);
  const client = new PageClient(clinics.origin);
  const page = await client.get(`${ROOT}/sign-in`);
  const moved = await client.submit(page, `${ROOT}/sign-in`, { email: OWNER, password: PASSWORD });
  const offer = await client.submit(await client.follow(moved), `${ROOT}/enrol/totp/begin`);
  const shown = await client.follow(offer);
  const secret = (/<code class="secret">([^<]*)</.exec(shown.body)?.[1] ?? "").replaceAll(" ", "");
  await client.submit(shown, `${ROOT}/enrol/confirm`, { code: totpCode(secret, Date.now()) });
  const before = await client.get(`${ROOT}/clinics`);
  t.equal(before.status, 200);
  t.match(before.body, CLINIC.name, "with the password that the clinic set: this one");
  t.notMatch(before.body, OTHER_CLINIC.name);
  t.match(before.body, `Other clinics at which ${OWNER} signs in are shown once`);

  const forgot = `${ROOT}/forgot-password`;
  await client.submit(await client.get(forgot), forgot, { email: OWNER });
  const { pathname } = new URL(await mailedLink(clinics.mails, OWNER, "reset"));
  const set = await client.submit(await client.get(pathname), pathname, { password: "lamp river quilt seven" });
  const asked = await client.follow(set);
  // The step of the code that set it up is used; the next one's passes too.
  await client.submit(asked, `${ROOT}/verify`, { code: totpCode(secret, Date.now(), 1) });
  const after = await client.get(`${ROOT}/clinics`);
  t.match(after.body, CLINIC.name);
  t.match(after.body, `<a href="${clinics.otherOrigin}/">${OTHER_CLINIC.name}</a>`);
  t.notMatch(after.body, "are shown once");
});
