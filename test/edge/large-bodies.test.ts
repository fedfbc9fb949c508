/**
 * Bodies far larger than any buffer pass both ways while the edge's memory stays flat.
 * `SALLYPORT_TEST_BODY_MIB=2048` runs it with 2 GiB.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import t, { type Test } from "tap";

const MIB = 1024 * 1024;
const BODY_BYTES = Number(process.env["SALLYPORT_TEST_BODY_MIB"] ?? 256) * MIB;
/** Node's young generation and the sockets' buffers on their way; a body that piled up would be far more. */
const ALLOWED_GROWTH_BYTES = 128 * MIB;
const PIECE = Buffer.alloc(256 * 1024, "0123456789abcdef");

function* pieces(): Generator<Buffer> {
  for (let sent = 0; sent < BODY_BYTES; sent += PIECE.length) yield PIECE;
}

async function countBytes(stream: IncomingMessage): Promise<number> {
  let bytes = 0;
  for await (const chunk of stream) bytes += chunk.length;
  return bytes;
}

/** Takes uploads, and says how much came; gives downloads, with a length or in chunks. */
async function startApplication(t: Test): Promise<string> {
  const serve = async (req: IncomingMessage, res: ServerResponse) => {
    if (req.method === "POST") {
      res.end(String(await countBytes(req)));
      return;
    }
    if (req.url === "/length") res.setHeader("content-length", BODY_BYTES);
    Readable.from(pieces()).pipe(res);
  };
  const server = createServer((req, res) => void serve(req, res));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

t.test(`${BODY_BYTES / MIB} MiB each way in flat memory`, { timeout: 110_000 }, async (t) => {
  const application = await startApplication(t);
  const edge = fork("test/support/forward-edge-process.ts", [application]);
  t.teardown(() => edge.kill());
  const [{ port }] = await once(edge, "message");
  const peak = async (): Promise<number> => {
    edge.send("peak");
    const [message] = await once(edge, "message");
    return message.peak;
  };
  const call = async (
    method: string,
    path: string,
    headers: Record<string, string | number>,
  ): Promise<IncomingMessage> => {
    const outgoing = request({ port, method, path, headers, agent: false });
    if (method === "POST") Readable.from(pieces()).pipe(outgoing);
    else outgoing.end();
    const [incoming] = await once(outgoing, "response");
    return incoming;
  };
  const warm = await call("GET", "/nothing", { connection: "close", range: "bytes=0-0" });
  warm.destroy();
  const before = await peak();
  const grown = async () => (await peak()) - before;

  for (const path of ["/length", "/chunks"]) {
    t.equal(await countBytes(await call("GET", path, {})), BODY_BYTES, `download ${path}`);
    const growth = await grown();
    t.ok(growth < ALLOWED_GROWTH_BYTES, `grew by ${Math.round(growth / MIB)} MiB`);
  }
  for (const headers of [{ "content-length": BODY_BYTES }, { "transfer-encoding": "chunked" }]) {
    const answer = await call("POST", "/", headers);
    const [body] = await once(answer, "data");
    t.equal(String(body), String(BODY_BYTES), `upload ${Object.keys(headers)}`);
    const growth = await grown();
    t.ok(growth < ALLOWED_GROWTH_BYTES, `grew by ${Math.round(growth / MIB)} MiB`);
  }
});
