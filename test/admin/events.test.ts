/** Server-sent events: as they happen, resumed without loss, only what the key may see. */
import t from "tap";
import { FixedClock } from "../../src/core/clock.ts";
import { ADMIN_KEY, type AdminFixture, START_MS, startAdminApi } from "../support/admin-api.ts";

interface Event {
  readonly id: string;
  readonly event: string;
  // biome-ignore lint/suspicious/noExplicitAny: events carry records of every shape
  readonly data: any;
}

/** A reader as browsers have it: id is kept from one event to the next. */
async function* readEvents(
  fixture: AdminFixture,
  end: AbortSignal,
  { key = ADMIN_KEY, from, query = "" }: { key?: string; from?: string; query?: string } = {},
): AsyncGenerator<Event> {
  const headers = { authorization: `Bearer ${key}`, ...(from === undefined ? {} : { "last-event-id": from }) };
  const response = await fetch(`${fixture.origin}/v1/events${query}`, { headers, signal: end });
  if (response.status !== 200 || response.body === null) throw new Error(`status ${response.status}`);
  let text = "";
  let id = "";
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let stop = text.indexOf("\n\n"); stop >= 0; stop = text.indexOf("\n\n")) {
      const fields = new Map(
        text
          .slice(0, stop)
          .split("\n")
          .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
      );
      text = text.slice(stop + 2);
      id = fields.get("id") ?? id;
      yield {
        id,
        event: fields.get("event") ?? "",
        data: fields.has("data") ? JSON.parse(fields.get("data") ?? "") : undefined,
      };
    }
  }
}

/** The next event that has a name. */
async function next(events: AsyncGenerator<Event>): Promise<Event> {
  for (;;) {
    const { value, done } = await events.next();
    if (done === true) throw new Error("the stream has ended");
    if (value.event !== "") return value;
  }
}

t.test("as they happen, and resumed", async (t) => {
  const fixture = await startAdminApi(t);
  const { call, tenant } = fixture;
  await tenant("a");
  const end = new AbortController();
  const events = readEvents(fixture, end.signal);
  t.match((await events.next()).value, { id: /^\d+$/, event: "" }, "where it stands comes first");
  const made = await call("POST", "/v1/tenants/a/allowlist", { json: { cidr: "192.0.2.1", label: "x" } });
  const first = await next(events);
  t.match(first, {
    id: String(made.body.revision),
    event: "entry.created",
    data: { revision: made.body.revision, tenant: "a", target: made.body.id, after: { label: "x" } },
  });
  end.abort();
  const burst = Array.from({ length: 20 }, (_, n) =>
    call("POST", "/v1/tenants/a/allowlist", { json: { cidr: `192.0.2.${n}` } }),
  );
  const targets = (await Promise.all(burst)).map(({ body }) => body.id as string);
  const seen: string[] = [];
  let from = first.id;
  while (seen.length < targets.length) {
    // Each event is read on a connection of its own, also those that share a commit.
    const once = new AbortController();
    const event = await next(readEvents(fixture, once.signal, { from }));
    once.abort();
    from = event.id;
    seen.push(event.data.target);
  }
  t.same(new Set(seen), new Set(targets), "none is missing and none comes twice");
});

t.test("a key of one tenant sees its own alone, and its stream ends when it is revoked", async (t) => {
  const fixture = await startAdminApi(t);
  const { call, tenant } = fixture;
  await tenant("a");
  await tenant("b");
  const key = (await call("POST", "/v1/keys", { json: { label: "a", access: "read", tenant: "a" } })).body;
  const events = readEvents(fixture, new AbortController().signal, { key: key.token });
  await events.next();
  await call("POST", "/v1/tenants/b/allowlist", { json: { cidr: "192.0.2.1" } });
  await call("POST", "/v1/tenants/a/allowlist", { json: { cidr: "192.0.2.2" } });
  t.match(await next(events), { event: "entry.created", data: { tenant: "a" } });
  await call("DELETE", `/v1/keys/${key.id}`);
  t.match(await next(events), { event: "key.revoked" });
  t.equal((await events.next()).done, true);
});

t.test("a position that is no longer kept asks for a resync", async (t) => {
  const fixture = await startAdminApi(t);
  await fixture.tenant("a");
  const end = new AbortController();
  t.match(await next(readEvents(fixture, end.signal, { from: "1" })), { event: "resync", id: /^\d+$/ });
  end.abort();
  for (const from of ["x", "1-", "-1", "1.5", "9".repeat(20)]) {
    const { status, body } = await fixture.call("GET", "/v1/events", { headers: { "last-event-id": from } });
    t.equal(status, 422, from);
    t.equal(body.code, "cursor_invalid");
  }
});

t.test("closing the API ends its streams", async (t) => {
  const fixture = await startAdminApi(t, { clock: new FixedClock(START_MS) });
  const events = readEvents(fixture, new AbortController().signal);
  await events.next();
  await fixture.close();
  t.equal((await events.next()).done, true);
});
