/** A client that writes exactly the bytes it is given, and shows exactly those that come back. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** One connection. Everything received since the start stays in `received`, as Latin-1 text. */
export class RawClient {
  readonly socket: Socket;
  received = "";
  ended = false;
  closed = false;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.received += chunk.toString("latin1");
      this.#wake();
    });
    socket.on("end", () => {
      this.ended = true;
      this.#wake();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.closed = true;
      this.#wake();
    });
  }

  static async open(port: number): Promise<RawClient> {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    await once(socket, "connect");
    return new RawClient(socket);
  }

  send(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  }

  /** Waits until `condition` holds for what has been received; fails when the connection ends before. */
  async until(condition: (received: string) => boolean): Promise<string> {
    while (!condition(this.received)) {
      if (this.closed || this.ended) throw new Error(`ended after: ${this.received.slice(0, 2_000)}`);
      await this.#change();
    }
    return this.received;
  }

  /** Waits for the peer to end or break the connection. @returns all that was received */
  async untilEnd(): Promise<string> {
    while (!this.closed && !this.ended) await this.#change();
    return this.received;
  }

  close(): void {
    this.socket.destroy();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

/** Sends one request on a connection of its own, which the request should ask to close. @returns the answer's bytes */
export async function exchangeRaw(port: number, bytes: string | Buffer): Promise<string> {
  const client = await RawClient.open(port);
  client.send(bytes);
  const answer = await client.untilEnd();
  client.close();
  return answer;
}

export interface RawMessage {
  readonly startLine: string;
  /** Names as they came, values in order of appearance. */
  readonly fields: readonly (readonly [string, string])[];
  readonly body: string;
  readonly trailers: readonly (readonly [string, string])[];
}

/** Takes one message apart; the body runs to its declared length, its last chunk, or the end of the text. */
export function parseRaw(text: string): RawMessage {
  const end = text.indexOf("\r\n\r\n");
  const [startLine = "", ...lines] = text.slice(0, end).split("\r\n");
  const fields = lines.map(field);
  const rest = text.slice(end + 4);
  const lookUp = (name: string): string | undefined => fields.find(([each]) => each.toLowerCase() === name)?.[1];
  if (lookUp("transfer-encoding") === "chunked") return { startLine, fields, ...parseChunks(rest) };
  const length = lookUp("content-length");
  return { startLine, fields, body: length === undefined ? rest : rest.slice(0, Number(length)), trailers: [] };
}

/** The values of one field, whatever the case of its name. */
export function values(fields: RawMessage["fields"], name: string): string[] {
  return fields.filter(([each]) => each.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
}

function parseChunks(text: string): Pick<RawMessage, "body" | "trailers"> {
  let body = "";
  let at = 0;
  for (;;) {
    const lineEnd = text.indexOf("\r\n", at);
    if (lineEnd < 0) throw new Error("the chunks are cut off");
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    at = lineEnd + 2;
    if (size === 0) break;
    body += text.slice(at, at + size);
    at += size + 2;
  }
  const lines = text.slice(at).split("\r\n");
  return { body, trailers: lines.slice(0, lines.indexOf("")).map(field) };
}

function field(line: string): readonly [string, string] {
  const colon = line.indexOf(":");
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}
