/** A second opinion on bytes that may be a request. */
import { createServer } from "node:http";
import { Duplex } from "node:stream";

export interface Read {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: string[];
  body: string;
  trailers: string[];
  whole: boolean;
}

/** The requests that Node's server, which reads with llhttp, sees in these bytes; none where it refuses one of them. */
export function readByNode(bytes: Buffer): Promise<Read[]> {
  const read: Read[] = [];
  const server = createServer({ httpValidation: "strict", requireHostHeader: false }, (req, res) => {
    const { method = "", url = "", rawHeaders } = req;
    const one = { method, url, rawHeaders, body: "", trailers: [] as string[], whole: false };
    read.push(one);
    req.on("data", (chunk: Buffer) => {
      one.body += chunk.toString("latin1");
    });
    req.on("end", () => {
      one.whole = true;
      one.trailers = req.rawTrailers;
      res.end();
    });
  });
  const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  const { promise, resolve } = Promise.withResolvers<typeof read>();
  server.on("clientError", () => resolve([]));
  server.on("upgrade", () => resolve([]));
  server.emit("connection", socket);
  socket.push(bytes);
  // Until whatever of the bytes is a body has come out of its stream.
  setImmediate(() =>
    setImmediate(() => {
      socket.destroy();
      resolve(read);
    }),
  );
  return promise;
}
