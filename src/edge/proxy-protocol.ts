/** The PROXY protocol, versions 1 and 2 (haproxy.org, proxy-protocol.txt): who connected to the proxy in front. */
import type { Socket } from "node:net";
import { type Address, parseAddress } from "../core/address.ts";

/** What a connection's first bytes say. */
export type ProxyHeader =
  | { readonly state: "incomplete" }
  | { readonly state: "invalid" }
  /** `source` is absent where the proxy speaks for itself (`UNKNOWN`, `LOCAL`): the socket's address counts. */
  | { readonly state: "complete"; readonly length: number; readonly source?: Address };

const INCOMPLETE: ProxyHeader = { state: "incomplete" };
const INVALID: ProxyHeader = { state: "invalid" };

const V1_PREFIX = Buffer.from("PROXY ", "latin1");
/** The longest line that version 1 allows, its CRLF included. */
const V1_MAX_BYTES = 107;
const V1_LINE = /^PROXY (?:UNKNOWN(?: .*)?|(TCP[46]) ([0-9a-fA-F:.]+) ([0-9a-fA-F:.]+) ([0-9]+) ([0-9]+))$/;

const V2_SIGNATURE = Buffer.from([0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]);
const V2_FIXED_BYTES = 16;
/** Addresses and TLVs together. Real headers, with a client certificate's name, stay under 1 KiB. */
const V2_MAX_LENGTH = 4096;
const V2_LOCAL = 0x20;
const V2_PROXY = 0x21;
const V2_UNSPECIFIED = 0x00;
const V2_TCP4 = 0x11;
const V2_TCP6 = 0x21;

/** Reads the header at the beginning of `bytes`. Never throws; asks for more only while a valid header is possible. */
export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  if (startsLike(bytes, V2_SIGNATURE)) return parseV2(bytes);
  if (startsLike(bytes, V1_PREFIX)) return parseV1(bytes);
  return INVALID;
}

/**
 * Reads the header off a connection that has just been accepted, and gives back what follows it, so that the
 * next reader sees the stream as if the header had never been there. Anything but a whole valid header within
 * `timeoutMs` destroys the socket without an answer.
 */
export function readProxyHeader(socket: Socket, timeoutMs: number, done: (source: Address | undefined) => void): void {
  let bytes: Buffer = Buffer.alloc(0);
  const timer = setTimeout(() => socket.destroy(), timeoutMs);
  const stop = () => {
    clearTimeout(timer);
    socket.off("data", read);
    socket.off("end", abandon);
    socket.off("error", ignore);
    socket.off("close", stop);
  };
  const abandon = () => socket.destroy();
  const ignore = () => {};
  const read = (chunk: Buffer) => {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    const header = parseProxyHeader(bytes);
    if (header.state === "incomplete") return;
    if (header.state === "invalid") {
      socket.destroy();
      return;
    }
    stop();
    socket.pause();
    if (header.length < bytes.length) socket.unshift(bytes.subarray(header.length));
    done(header.source);
  };
  socket.on("data", read);
  socket.on("end", abandon);
  socket.on("error", ignore);
  socket.on("close", stop);
}

function startsLike(bytes: Buffer, prefix: Buffer): boolean {
  const length = Math.min(bytes.length, prefix.length);
  return bytes.compare(prefix, 0, length, 0, length) === 0;
}

function parseV1(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, V1_MAX_BYTES).indexOf("\r\n", 0, "latin1");
  if (end < 0) return bytes.length < V1_MAX_BYTES ? INCOMPLETE : INVALID;
  const fields = V1_LINE.exec(bytes.toString("latin1", 0, end));
  if (fields === null) return INVALID;
  const [, protocol, source = "", destination = "", sourcePort = "", destinationPort = ""] = fields;
  const length = end + 2;
  if (protocol === undefined) return { state: "complete", length };
  const address = addressOf(protocol, source);
  if (address === undefined || addressOf(protocol, destination) === undefined) return INVALID;
  if (!isPort(sourcePort) || !isPort(destinationPort)) return INVALID;
  return { state: "complete", length, source: address };
}

/** IPv6 text may hold a mapped IPv4 address, but never the reverse. */
function addressOf(protocol: string, text: string): Address | undefined {
  return text.includes(":") === (protocol === "TCP6") ? parseAddress(text) : undefined;
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9][0-9]{0,4})$/.test(text) && Number(text) <= 65_535;
}

function parseV2(bytes: Buffer): ProxyHeader {
  const command = bytes[12];
  if (command !== undefined && command !== V2_LOCAL && command !== V2_PROXY) return INVALID;
  if (bytes.length < V2_FIXED_BYTES) return INCOMPLETE;
  const transport = bytes.readUInt8(13);
  const length = V2_FIXED_BYTES + bytes.readUInt16BE(14);
  if (length > V2_FIXED_BYTES + V2_MAX_LENGTH) return INVALID;
  if (bytes.length < length) return INCOMPLETE;
  if (command === V2_LOCAL || transport === V2_UNSPECIFIED) return { state: "complete", length };
  const addresses = bytes.subarray(V2_FIXED_BYTES, length);
  if (transport === V2_TCP4) return proxied(length, addresses, 4, formatIpv4);
  if (transport === V2_TCP6) return proxied(length, addresses, 16, formatIpv6);
  return INVALID;
}

function proxied(length: number, block: Buffer, size: number, format: (bytes: Buffer) => string): ProxyHeader {
  const ends = 2 * size + 4;
  if (block.length < ends || !areTlvs(block.subarray(ends))) return INVALID;
  const source = parseAddress(format(block.subarray(0, size)));
  return source === undefined ? INVALID : { state: "complete", length, source };
}

/** Type, length, value: they fill the rest exactly. */
function areTlvs(rest: Buffer): boolean {
  let at = 0;
  while (at + 3 <= rest.length) at += 3 + rest.readUInt16BE(at + 1);
  return at === rest.length;
}

function formatIpv4(bytes: Buffer): string {
  return bytes.join(".");
}

function formatIpv6(bytes: Buffer): string {
  return (bytes.toString("hex").match(/.{4}/g) ?? []).join(":");
}
