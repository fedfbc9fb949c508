/** What the edges decide is what `explain` says, for generated allowlists and addresses of both families. */
import { Agent, request } from "node:http";
import fc from "fast-check";
import t from "tap";
import { formatPrefix, parseAddress } from "../../src/core/address.ts";
import { Gate, openTenant, startUpstream } from "../support/gate.ts";

const HOST = "clinic.example";
/** More by hand: `SALLYPORT_TEST_PAIRS=100000 TAP_TIMEOUT=900 tap test/system/explain-agrees.test.ts`. */
const PAIRS = Number(process.env["SALLYPORT_TEST_PAIRS"] ?? 2_000);
const ADDRESSES_PER_LIST = 50;

/** Few distinct bits, so that prefixes nest, touch and cover the addresses asked about. */
const bits = (width: number) =>
  fc.array(fc.constantFrom(0, 0, 1, 0x7f, 0x80, 0xff, 0xfe), { minLength: width, maxLength: width });
const ipv4 = bits(4).map((bytes) => bytes.join("."));
const ipv6 = bits(16).map((bytes) =>
  Array.from({ length: 8 }, (_, index) =>
    (((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0)).toString(16),
  ).join(":"),
);
const address = fc.oneof(ipv4, ipv6).filter((text) => parseAddress(text) !== undefined);
const cidr = fc.tuple(address, fc.integer({ min: 0, max: 128 })).map(([text, length]) => {
  const family = parseAddress(text)?.family ?? 4;
  return canonical(text, family === 4 ? 8 + (length % 25) : 32 + (length % 97));
});

/** The prefix of this length that covers the address. */
function canonical(text: string, length: number): string {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(text);
  const words = parsed.family === 4 ? [parsed.a] : [parsed.a, parsed.b, parsed.c, parsed.d];
  const masked = words.map((word, index) => {
    const kept = Math.min(32, Math.max(0, length - index * 32));
    return kept === 0 ? 0 : (word & (0xffff_ffff << (32 - kept))) >>> 0;
  });
  const [a = 0, b = 0, c = 0, d = 0] = masked;
  return formatPrefix({ family: parsed.family, a, b, c, d, length });
}

t.test("edges and explain agree", async (t) => {
  const upstream = await startUpstream(t, (_request, response) => void response.end("in"));
  const tenant = { ...openTenant("clinic", HOST, upstream), policy: { secondFactor: "off" } };
  const settings = { edge: { trustedProxies: ["127.0.0.1/32"] }, tenants: [tenant] };
  const gate = new Gate(t, { settings });
  const { edge, admin } = await gate.ready();
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  t.teardown(() => agent.destroy());
  const authorization = `Bearer ${gate.adminKey()}`;
  const get = (
    base: string,
    path: string,
    headers: Record<string, string>,
  ): Promise<{ status: number; body: string }> =>
    new Promise((resolve, reject) => {
      request(new URL(path, base), { agent, headers }, (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          body += chunk;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
      })
        .once("error", reject)
        .end();
    });

  const counts = { allowed: 0, denied: 0 };
  const lists = fc.sample(fc.array(cidr, { maxLength: 20 }), {
    numRuns: Math.ceil(PAIRS / ADDRESSES_PER_LIST),
    seed: 7,
  });
  for (const [turn, list] of lists.entries()) {
    const items = [...new Set(list)].map((text) => ({ cidr: text, label: "generated" }));
    const replaced = await gate.admin("PUT", "/v1/tenants/clinic/allowlist?wait=applied", { items });
    if (!replaced.ok) t.fail(await replaced.text());
    const covered = items.flatMap(({ cidr: text }) => text.split("/")[0] ?? []);
    const asked = [
      ...covered,
      ...fc.sample(address, { numRuns: Math.max(1, ADDRESSES_PER_LIST - covered.length), seed: turn }),
    ];
    await Promise.all(
      asked.map(async (text) => {
        const [passed, explained] = await Promise.all([
          get(edge, "/", { host: HOST, "x-forwarded-for": text }),
          get(admin, `/v1/tenants/clinic/explain?ip=${encodeURIComponent(text)}`, { authorization }),
        ]);
        const { verdict, entry } = JSON.parse(explained.body) as { verdict: string; entry: { cidr: string } | null };
        if ((passed.status === 200) !== (verdict === "allow") || (verdict === "allow") !== (entry !== null)) {
          t.fail("they disagree", { text, status: passed.status, verdict, list });
        }
        counts[passed.status === 200 ? "allowed" : "denied"] += 1;
      }),
    );
  }
  t.ok(counts.allowed > PAIRS / 10 && counts.denied > PAIRS / 10, "both outcomes occur often", counts);
});
