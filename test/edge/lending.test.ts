/** Accepted sockets read into shared memory, and through the stream again once they lend no more. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import t, { type Test } from "tap";
import { deliverTo, lendFrom } from "../../src/edge/lending.ts";
import { selfSigned } from "../support/certificate.ts";

interface Pair {
  readonly accepted: Socket;
  readonly client: Socket;
}

async function pair(t: Test, tls: boolean): Promise<Pair> {
  const { cert, key } = (tls ? selfSigned(t, ["DNS:localhost"]) : undefined) ?? {};
  const server = cert === undefined ? createServer() : createTlsServer({ cert, key });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const arrives = once(server, tls ? "secureConnection" : "connection");
  const client = tls ? connectTls({ port, rejectUnauthorized: false }) : connect(port);
  const [accepted] = (await arrives) as [Socket];
  t.teardown(() => {
    client.destroy();
    accepted.destroy();
    server.close();
  });
  return { accepted, client };
}

for (const tls of [false, true]) {
  const kind = tls ? "TLS" : "TCP";

  t.test(`${kind}: what is read is lent, and its end is told`, async (t) => {
    const { accepted, client } = await pair(t, tls);
    const memory = new Set<ArrayBufferLike>();
    let read = "";
    const lends = lendFrom(accepted, (bytes, length) => {
      memory.add(bytes.buffer);
      read += bytes.toString("latin1", 0, length);
    });
    t.ok(lends, "this Node lends");
    accepted.on("data", () => t.fail("came through the stream"));
    for (const word of ["one ", "two ", "three"]) {
      client.write(word);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    client.end();
    await once(accepted, "end");
    t.equal(read, "one two three");
    t.equal(memory.size, 1);
  });

  t.test(`${kind}: a reader that wants no more gets no more until it does`, async (t) => {
    const { accepted, client } = await pair(t, tls);
    let read = 0;
    t.ok(lendFrom(accepted, (_bytes, length) => (read += length)));
    accepted.pause();
    client.write("later");
    await new Promise((resolve) => setTimeout(resolve, 50));
    t.equal(read, 0);
    accepted.resume();
    client.end();
    accepted.resume();
    await once(accepted, "end");
    t.equal(read, 5);
  });

  t.test(`${kind}: afterwards it is a stream that holds its writer back`, async (t) => {
    const { accepted, client } = await pair(t, tls);
    t.ok(lendFrom(accepted, () => t.fail("still lends")));
    deliverTo(accepted, undefined);
    const sent = Buffer.alloc(32 << 20, "abcdefg");
    client.end(sent);
    await once(accepted, "readable");
    await new Promise((resolve) => setTimeout(resolve, 100));
    t.ok(accepted.bytesRead < sent.length / 2, "what nobody reads is not taken in");
    const chunks: Buffer[] = [];
    for await (const chunk of accepted) chunks.push(chunk as Buffer);
    t.ok(Buffer.concat(chunks).equals(sent), "every byte is its own");
  });
}
