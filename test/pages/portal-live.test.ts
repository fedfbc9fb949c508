/** How many open portal pages are told of changes: so many of a session, so many of a clinic. */
import { once } from "node:events";
import type { Readable } from "node:stream";
import t from "tap";
import { DEFAULT_POLICY } from "../../src/core/tenant.ts";
import type { PlacePages } from "../../src/pages/place-pages.ts";
import { portalLiveRoutes } from "../../src/pages/portal-live.ts";
import type { Answer, Call } from "../../src/pages/route.ts";

/** Whoever asks is an owner with this session. */
let owner = "";
const sessions = {
  noteSeen() {},
  lookup: async () => ({ id: owner, role: "owner", amr: ["pwd", "otp"] }),
};

t.test("a session has five streams, a clinic twenty, and what ends makes room", async (t) => {
  const store = { watch: () => () => {}, list: async () => [] };
  const [route] = portalLiveRoutes({ person: { sessions }, store } as unknown as PlacePages);
  const open = async (tenant: string, session: string): Promise<Answer | undefined> => {
    owner = session;
    const visit = { tenant: { id: tenant, policy: DEFAULT_POLICY }, cookies: { session: "s".repeat(43) } };
    return await route?.handle({ visit, query: { live: "1" }, nowMs: 0 } as unknown as Call);
  };
  const streams: Readable[] = [];
  t.teardown(() => {
    for (const stream of streams) stream.destroy();
  });
  const opens = async (tenant: string, session: string) => {
    const answer = await open(tenant, session);
    if (answer?.kind !== "stream") return false;
    streams.push(answer.body as Readable);
    return true;
  };
  for (let n = 0; n < 5; n++) t.equal(await opens("a", "one"), true);
  t.match(await open("a", "one"), { kind: "json", status: 503 });
  for (let n = 0; n < 15; n++) t.equal(await opens("a", `other ${n}`), true);
  t.equal(await opens("a", "latest"), false, "the clinic has its twenty");
  t.equal(await opens("b", "one"), true, "another clinic has its own");
  const first = streams[0];
  first?.destroy();
  if (first !== undefined) await once(first, "close");
  t.equal(await opens("a", "one"), true);
});
