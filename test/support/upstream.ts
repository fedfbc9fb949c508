/** An upstream on a real socket that does what a test tells it to, byte by byte, and remembers what it was sent. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import type { Test } from "tap";

export interface Connection {
  readonly socket: Socket;
  /** Everything that arrived on it, as Latin-1 text. */
  received: string;
}

/** Called for each piece that arrives; `connection.received` already has it. */
export type Script = (connection: Connection, piece: Buffer) => void;

export interface RawUpstream {
  readonly origin: string;
  readonly port: number;
  readonly connections: Connection[];
  /** Waits until that many connections have been made. */
  reached(count: number): Promise<void>;
}

/** Starts an upstream that ends with the test. */
export async function startUpstream(t: Test, script: Script): Promise<RawUpstream> {
  const connections: Connection[] = [];
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const connection: Connection = { socket, received: "" };
    connections.push(connection);
    socket.on("error", () => {});
    socket.on("end", () => socket.end());
    socket.on("data", (piece: Buffer) => {
      connection.received += piece.toString("latin1");
      script(connection, piece);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => {
    for (const { socket } of connections) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    connections,
    reached: async (count) => {
      while (connections.length < count) await once(server, "connection");
    },
  };
}

/** A script that gives the same answer to every complete request head. */
export function always(answer: string | Buffer): Script {
  const bytes = typeof answer === "string" ? Buffer.from(answer, "latin1") : answer;
  return (connection) => {
    if (!connection.received.endsWith("\r\n\r\n")) return;
    connection.received = "";
    connection.socket.write(bytes);
  };
}

/** An answer with a length. */
export function ok(body = "ok", fields = ""): string {
  return `HTTP/1.1 200 OK\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`;
}
