/** A DNS server on loopback (RFC 1035) that answers what a test says. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { Test } from "tap";

export interface Zone {
  readonly ttl: number;
  readonly a?: readonly string[];
  readonly aaaa?: readonly string[];
}

export interface DnsServer {
  /** `address:port`, as a resolver takes it. */
  readonly server: string;
  /** What the names are; one that is not here does not exist, and `"broken"` answers SERVFAIL. */
  readonly zones: Map<string, Zone | "broken">;
  /** How many questions came. */
  readonly asked: () => number;
}

const [A, AAAA, SERVFAIL, NXDOMAIN] = [1, 28, 2, 3];

export async function startDns(t: Test): Promise<DnsServer> {
  const zones = new Map<string, Zone | "broken">();
  let questions = 0;
  const socket = createSocket("udp4");
  socket.on("message", (message, peer) => {
    questions += 1;
    socket.send(answerTo(message, zones), peer.port, peer.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  t.teardown(() => socket.close());
  return { server: `127.0.0.1:${socket.address().port}`, zones, asked: () => questions };
}

function answerTo(message: Buffer, zones: DnsServer["zones"]): Buffer {
  const labels: string[] = [];
  let at = 12;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString("ascii", at + 1, at + 1 + length));
    at += 1 + length;
  }
  const question = message.subarray(12, at + 5);
  const type = message.readUInt16BE(at + 1);
  const zone = zones.get(labels.join(".").toLowerCase());
  const rcode = zone === undefined ? NXDOMAIN : zone === "broken" ? SERVFAIL : 0;
  const known = zone === undefined || zone === "broken" ? undefined : zone;
  const texts = type === A ? (known?.a ?? []) : type === AAAA ? (known?.aaaa ?? []) : [];
  const records = texts.map((text) => record(type, known?.ttl ?? 0, type === A ? bytesOf4(text) : bytesOf6(text)));
  const head = Buffer.alloc(12);
  head.writeUInt16BE(message.readUInt16BE(0), 0);
  head.writeUInt16BE(0x8180 | rcode, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(records.length, 6);
  return Buffer.concat([head, question, ...records]);
}

function record(type: number, ttl: number, data: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(ttl, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function bytesOf4(text: string): Buffer {
  return Buffer.from(text.split(".").map(Number));
}

function bytesOf6(text: string): Buffer {
  const [left = "", right = ""] = text.split("::");
  const words = (part: string) => (part === "" ? [] : part.split(":").map((word) => Number.parseInt(word, 16)));
  const [head, tail] = [words(left), words(right)];
  const all = [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail];
  return Buffer.from(all.flatMap((word) => [word >>> 8, word & 255]));
}
