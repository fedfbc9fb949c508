/** Memory for copies is used again, but never while anybody may still read it. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import t from "tap";
import type { ClientResponse, Written } from "../../src/edge/client-message.ts";
import { writeCopy } from "../../src/edge/copies.ts";
import { HAPPY, startLiveEdge } from "../support/live-edge.ts";
import { RawClient } from "../support/raw-http.ts";

interface Wrote {
  readonly bytes: Buffer;
  readonly written: Written | undefined;
}

/** Answers that take what they are given and say nothing of it. */
function collector(): { readonly res: ClientResponse; readonly wrote: Wrote[] } {
  const wrote: Wrote[] = [];
  const write = (bytes: Buffer, _encoding: "latin1", written?: Written): boolean => wrote.push({ bytes, written }) > 0;
  return { res: { write } as unknown as ClientResponse, wrote };
}

const LENT = Buffer.alloc(128 * 1024, "abcdefghijk");

t.test("a copy is used again once it is written, and not before", async (t) => {
  const { res, wrote } = collector();
  writeCopy(res, LENT, 10, 65_546);
  writeCopy(res, LENT, 0, 65_536);
  const [one, two] = wrote;
  if (one === undefined || two === undefined) throw new Error("nothing written");
  t.ok(one.bytes.equals(LENT.subarray(10, 65_546)));
  t.not(one.bytes.buffer, two.bytes.buffer, "both are on their way");
  one.written?.();
  writeCopy(res, LENT, 0, 40_000);
  t.equal(wrote[2]?.bytes.buffer, one.bytes.buffer);
  t.equal(wrote[2]?.bytes.length, 40_000);
  t.ok(two.bytes.equals(LENT.subarray(0, 65_536)));
});

t.test("memory of a failed write is nobody's", async (t) => {
  const { res, wrote } = collector();
  for (let count = 0; count < 10; count += 1) {
    writeCopy(res, LENT, 0, 128 * 1024);
    wrote.at(-1)?.written?.(new Error("gone"));
  }
  t.equal(new Set(wrote.map(({ bytes }) => bytes.buffer)).size, 10);
});

t.test("small pieces pin no more than they need", async (t) => {
  const { res, wrote } = collector();
  writeCopy(res, LENT, 0, 16_384);
  writeCopy(res, LENT, 0, 16_385);
  t.equal(wrote[0]?.written, undefined, "not to be used again");
  t.equal(wrote[1]?.bytes.buffer.byteLength, 32_768);
});

t.test("no more than 8 MiB lie ready", async (t) => {
  const { res, wrote } = collector();
  const writeHundred = (): Set<ArrayBufferLike> => {
    for (let count = 0; count < 100; count += 1) writeCopy(res, LENT, 0, 128 * 1024);
    return new Set(wrote.map(({ bytes }) => bytes.buffer));
  };
  const first = writeHundred();
  for (const { written } of wrote.splice(0)) written?.();
  const again = writeHundred().intersection(first).size;
  t.ok(again > 56 && again <= 64, `${again} times 128 KiB were kept`);
});

/** More than two sockets hold between them, so that writes wait for slow clients. */
const BODY_BYTES = 12 * 1024 * 1024;
const bodyOf = (name: string): Buffer => Buffer.alloc(BODY_BYTES, `${name}.`);

t.test("nobody's bytes reach another: slow clients, quick ones and some that leave", async (t) => {
  const application = createServer((req, res) => res.end(bodyOf(req.url?.slice(1) ?? "")));
  await new Promise<void>((resolve) => application.listen(0, "127.0.0.1", resolve));
  t.teardown(() => {
    application.closeAllConnections();
    application.close();
  });
  const upstream = `http://127.0.0.1:${(application.address() as AddressInfo).port}`;
  const { port, policy } = await startLiveEdge(t, { upstream });
  policy.allow("127.0.0.1/32");
  const ask = async (number: number): Promise<void> => {
    const client = await RawClient.open(port);
    const name = `client-${number}`;
    // Every other one is answered by Node's server.
    const connection = number % 2 === 0 ? "close" : "close, TE\r\nTE: trailers";
    client.send(`GET /${name} HTTP/1.1\r\nHost: ${HAPPY.host}\r\nConnection: ${connection}\r\n\r\n`);
    if (number % 3 === 0) {
      await client.until((received) => received.includes(name));
      client.close();
      return;
    }
    if (number % 3 === 1) {
      client.socket.pause();
      await new Promise((resolve) => setTimeout(resolve, 300));
      client.socket.resume();
    }
    const received = await client.untilEnd();
    const body = received.slice(received.indexOf("\r\n\r\n") + 4);
    t.ok(body === bodyOf(name).toString("latin1"), name);
  };
  await Promise.all(Array.from({ length: 12 }, (_, number) => ask(number)));
});
