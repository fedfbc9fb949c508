/** The portal's form for a place: its mistake is said beside the field, with what to write instead, and what was typed stays. */
import t from "tap";
import { CLINIC, startClinics } from "../support/clinics.ts";
import { signInOwner } from "../support/owner-pages.ts";
import { formsOf, type PageAnswer } from "../support/page-client.ts";

const PORTAL = "/.sallyport/portal";

t.test("a wrong address is told by its field, in the reader's language", async (t) => {
  const clinics = await startClinics(t);
  const owner = await signInOwner(clinics.origin);
  const page = await owner.get(PORTAL);
  const wrong: readonly (readonly [typed: string, en: RegExp, nl: RegExp])[] = [
    ["010.0.0.1", /^Write it as 10\.0\.0\.1,/, /^Schrijf het als 10\.0\.0\.1,/],
    ["203.0.113.7/24", /^Write 203\.0\.113\.0\/24 for/, /^Schrijf 203\.0\.113\.0\/24 voor/],
    ["203.0.113.7/33", /from 0 to 32/, /van 0 tot en met 32/],
    ["2000::/3", /far too large/, /veel te groot/],
    ["clinic.example", /^This is not an address/, /^Dit is geen adres/],
    ["9".repeat(10_000), /^This is not an address/, /^Dit is geen adres/],
  ];
  for (const [cidr, en, nl] of wrong) {
    for (const [language, said] of [["en-GB", en] as const, ["nl", nl] as const]) {
      const { proof = "" } = formFields(page);
      const sent = { proof, cidr, label: "Ann", days: "30" };
      const { status, body } = await owner.post(`${PORTAL}/add`, sent, { "accept-language": language });
      const what = `${cidr.slice(0, 20)}, ${language}`;
      t.equal(status, 422, what);
      t.match(/id="cidr-error">([^<]*)</.exec(body)?.[1], said, what);
      const input = /<input id="cidr"[^>]*>/.exec(body)?.[0] ?? "";
      t.match(input, `value="${cidr}"`, `${what}: it stays`);
      t.match(input, /aria-describedby="cidr-hint cidr-error" aria-invalid="true"/, what);
      t.match(body, /role="alert">.*<a href="#cidr">/s, `${what}: and at the top`);
      t.match(body, /<input id="label"[^>]* value="Ann"/, what);
    }
  }
  t.strictSame(await clinics.list(), []);
});

function formFields(page: PageAnswer) {
  return formsOf(page).find(({ action }) => action === `${PORTAL}/add`)?.fields ?? {};
}

t.test("a place that came by itself is offered no end that it may not have", async (t) => {
  const clinics = await startClinics(t, { tenant: { limits: { selfEntryTtl: { default: "30d", max: "90d" } } } });
  const owner = await signInOwner(clinics.origin);
  await owner.submit(await owner.get(PORTAL), "/.sallyport/place", { label: "Front desk" });
  await clinics.admin("POST", `/v1/tenants/${CLINIC.id}/allowlist`, { cidr: "192.0.2.1" });
  const [came, stated] = await clinics.list();
  const page = await owner.get(PORTAL);
  const offered = (id = "") => {
    const [, options = ""] = new RegExp(`<select id="days-${id}"[^>]*>(.*?)</select>`, "s").exec(page.body) ?? [];
    return [...options.matchAll(/value="([^"]*)"/g)].map(([, value]) => value);
  };
  t.match([came, stated], [{ kind: "self" }, { kind: "static" }]);
  t.strictSame(offered(came?.id), ["keep", "30", "90"]);
  t.strictSame(offered(stated?.id), ["keep", "30", "90", "365", ""]);
  const { proof = "" } = formsOf(page).find(({ action }) => action === `${PORTAL}/change`)?.fields ?? {};
  for (const days of ["", "365"])
    t.equal((await owner.post(`${PORTAL}/change`, { proof, id: came?.id ?? "", label: "", days })).status, 422);
  t.equal((await owner.post(`${PORTAL}/change`, { proof, id: came?.id ?? "", label: "", days: "90" })).status, 303);
});
