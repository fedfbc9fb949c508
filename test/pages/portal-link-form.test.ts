/** The portal's form for a link: the clinic's defaults and caps, every field's mistake beside it, and nothing typed lost. */
import t from "tap";
import { CLINIC, startClinics } from "../support/clinics.ts";
import { signInOwner } from "../support/owner-pages.ts";
import { formsOf } from "../support/page-client.ts";

const LINKS = "/.sallyport/portal/links";
const LIMITS = {
  linkTtl: { default: "8h", max: "2d" },
  linkEntryTtl: { default: "14d", max: "30d" },
  linkUses: { default: 2, max: 5 },
};
const HOUR = 3600;
const DAY = 24 * HOUR;

/** The choices of a list, the chosen one with a star. */
function choicesOf(body: string, name: string): string[] {
  const list = new RegExp(`<select id="${name}".*?</select>`, "s").exec(body)?.[0] ?? "";
  return [...list.matchAll(/value="(\d+)"( selected)?>([^<]*)</g)].map(
    ([, value, chosen, label]) => `${value} ${label}${chosen === undefined ? "" : "*"}`,
  );
}

t.test("what the clinic's limits allow, with its defaults chosen", async (t) => {
  const clinics = await startClinics(t, { tenant: { limits: LIMITS } });
  const owner = await signInOwner(clinics.origin);
  const page = await owner.get(LINKS);
  t.strictSame(choicesOf(page.body, "ttlSeconds"), [`${HOUR} one hour`, `${8 * HOUR} 8 hours*`, `${DAY} one day`]);
  t.strictSame(choicesOf(page.body, "entryTtlSeconds"), [
    `${HOUR} one hour`,
    `${8 * HOUR} 8 hours`,
    `${DAY} one day`,
    `${3 * DAY} 3 days`,
    `${7 * DAY} 7 days`,
    `${14 * DAY} 14 days*`,
    `${30 * DAY} 30 days`,
  ]);
  t.match(page.body, /name="maxUses" type="number" value="2"[^>]* max="5"/);

  const plain = await owner.submit(page, LINKS, { label: "Ben", maxUses: "", ttlSeconds: "", entryTtlSeconds: "" });
  t.equal(plain.status, 303, "an empty field asks for the default");
  const full = { label: "Anna", maxUses: "3", ttlSeconds: `${DAY}`, entryTtlSeconds: `${3 * DAY}` };
  const made = await owner.submit(page, LINKS, { ...full, allowedNetwork: " 198.51.100.0/24 " });
  const { items } = await clinics.admin<{ items: object[] }>("GET", `/v1/tenants/${CLINIC.id}/links`);
  t.match(items, [
    { label: "Ben", maxUses: 2, entryTtlSeconds: 14 * DAY, allowedNetwork: undefined },
    { label: "Anna", maxUses: 3, entryTtlSeconds: 3 * DAY, allowedNetwork: "198.51.100.0/24" },
  ]);
  const list = await owner.get(LINKS);
  t.match(list.body, /Only from 198\.51\.100\.0\/24/);
  t.match(list.body, /data-label="Place stays for">3 days</);
  t.match(list.body, /data-label="Place stays for">14 days</);
  t.match(
    (await owner.follow(made)).body,
    /<dt>Only from this network<\/dt><dd><span class="mono">198\.51\.100\.0\/24</,
  );
});

/** What the form for a link holds, as a browser would send it. */
function heldBy(body: string): Record<string, string> {
  const form = body.split(`action="${LINKS}"`)[1]?.split("</form>")[0] ?? "";
  const inputs = [...form.matchAll(/<input id="(\w+)"[^>]* value="([^"]*)"/g)];
  const lists = [...form.matchAll(/<select id="(\w+)"(?:(?!<\/select>).)*?value="(\d+)" selected/gs)];
  const plain = (text = "") => text.replaceAll("&quot;", '"').replaceAll("&lt;", "<").replaceAll("&gt;", ">");
  return Object.fromEntries([...inputs, ...lists].map(([, name, value]) => [name, plain(value)]));
}

t.test("a mistake is said beside its field, in the reader's language, and what was typed stays", async (t) => {
  const clinics = await startClinics(t, { tenant: { limits: LIMITS } });
  const owner = await signInOwner(clinics.origin);
  const page = await owner.get(LINKS);
  const proof = formsOf(page).find(({ action }) => action === LINKS)?.fields["proof"] ?? "";
  const typed = {
    label: `Ben "night" <b>`,
    recipient: "ben@clinics.example",
    maxUses: "4",
    ttlSeconds: `${DAY}`,
    entryTtlSeconds: `${7 * DAY}`,
    allowedNetwork: "198.51.100.0/24",
  };
  const wrong: readonly (readonly [field: keyof typeof typed, value: string, en: RegExp, nl: RegExp])[] = [
    ["label", "x".repeat(10_000), /at most 200 characters/, /hoogstens 200 tekens/],
    ["label", "x".repeat(201), /at most 200 characters/, /hoogstens 200 tekens/],
    ["recipient", "ben", /not an e-mail address/, /geen e-mailadres/],
    ["recipient", `${"x".repeat(10_000)}@clinics.example`, /not an e-mail address/, /geen e-mailadres/],
    ["maxUses", "6", /from 1 to 5/, /van 1 tot en met 5/],
    ["maxUses", "0", /from 1 to 5/, /van 1 tot en met 5/],
    ["maxUses", "1e1", /from 1 to 5/, /van 1 tot en met 5/],
    ["ttlSeconds", `${3 * DAY}`, /one of the times/, /een van de tijden/],
    ["entryTtlSeconds", "for ever", /one of the times/, /een van de tijden/],
    ["allowedNetwork", "198.51.100.7/24", /not a network/, /geen netwerk/],
    ["allowedNetwork", "9".repeat(10_000), /not a network/, /geen netwerk/],
  ];
  for (const [field, value, en, nl] of wrong) {
    const sent = { ...typed, [field]: value };
    // A list cannot show what it does not offer.
    const { [field]: _, ...others } = sent;
    for (const [language, said] of [["en-GB", en] as const, ["nl", nl] as const]) {
      const { status, body } = await owner.post(LINKS, { proof, ...sent }, { "accept-language": language });
      const what = `${field}: ${value.slice(0, 12)}, ${language}`;
      t.equal(status, 422, what);
      t.match(new RegExp(`id="${field}-error">([^<]*)<`).exec(body)?.[1], said, what);
      t.match(body, new RegExp(`role="alert">.*<a href="#${field}">`, "s"), `${what}: and at the top`);
      t.equal(body.match(/-error">/g)?.length, 1, `${what}: beside no other`);
      t.match(heldBy(body), field.endsWith("Seconds") ? others : sent, what);
    }
  }
  t.strictSame((await clinics.admin<{ items: object[] }>("GET", `/v1/tenants/${CLINIC.id}/links`)).items, []);
});

t.test("where the operator writes to people, the form asks for no e-mail address", async (t) => {
  const clinics = await startClinics(t, { tenant: { mail: "own" } });
  const owner = await signInOwner(clinics.origin);
  const page = await owner.get(LINKS);
  t.match(page.body, 'name="label"');
  t.notMatch(page.body, 'name="recipient"');
});
