/** Load by Node: WebSockets on which one frame at a time goes out and comes back. */
import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { summariseTimes } from "./handshakes.ts";
import { HOST } from "./job.ts";
import type { LoadResult } from "./load.ts";

export interface FrameLoad {
  readonly port: number;
  readonly cookie: string | undefined;
  readonly connections: number;
  readonly seconds: number;
  /** Of each frame's payload: between 126 and 65,535. */
  readonly bytes: number;
}

/** The figures count an echoed frame as a request. @throws when a WebSocket is refused */
export async function loadFrames(wanted: FrameLoad): Promise<LoadResult> {
  const sockets = await Promise.all(Array.from({ length: wanted.connections }, () => open(wanted)));
  const startedAtMs = performance.now();
  const untilMs = startedAtMs + wanted.seconds * 1000;
  const took: number[] = [];
  await Promise.all(sockets.map((socket) => echo(socket, wanted.bytes, untilMs, took)));
  for (const socket of sockets) socket.destroy();
  return summariseTimes(took, 0, performance.now() - startedAtMs);
}

function open({ port, cookie }: FrameLoad): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const fields = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"];
    fields.push(`Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`);
    if (cookie !== undefined) fields.push(`Cookie: ${cookie}`);
    socket.write(`GET /echo HTTP/1.1\r\nHost: ${HOST}\r\n${fields.join("\r\n")}\r\n\r\n`);
    let received = "";
    const hear = (piece: Buffer): void => {
      received += piece.toString("latin1");
      if (!received.includes("\r\n\r\n")) return;
      socket.off("data", hear);
      if (received.startsWith("HTTP/1.1 101")) resolve(socket);
      else reject(new Error(`a WebSocket was refused: ${received.slice(0, 40)}`));
    };
    socket.on("data", hear).once("error", reject);
  });
}

async function echo(socket: Socket, bytes: number, untilMs: number, took: number[]): Promise<void> {
  const frame = maskedFrame(bytes);
  // The answer has no mask.
  const answerBytes = frame.length - 4;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let sentAtMs = performance.now();
  let missing = answerBytes;
  socket.on("data", (piece: Buffer) => {
    missing -= piece.length;
    if (missing > 0) return;
    const nowMs = performance.now();
    took.push(nowMs - sentAtMs);
    if (nowMs >= untilMs) {
      resolve();
      return;
    }
    sentAtMs = nowMs;
    missing = answerBytes;
    socket.write(frame);
  });
  socket.once("close", () => reject(new Error("a WebSocket broke")));
  socket.write(frame);
  await promise;
}

/** A binary frame from a client (RFC 6455, 5.2), of a length that takes two bytes to say. */
function maskedFrame(bytes: number): Buffer {
  const mask = randomBytes(4);
  return Buffer.concat([Buffer.from([0x82, 0x80 | 126, bytes >> 8, bytes & 255]), mask, Buffer.alloc(bytes, mask)]);
}
