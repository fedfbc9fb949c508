/** PROXY protocol headers of version 2, well-formed and not. */
import { isIPv6 } from "node:net";

const SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");

export interface ProxyV2 {
  /** The other end's address; the destination is a fixed one. */
  readonly source?: string;
  readonly tlvs?: Buffer;
  /** Version and command; `PROXY` of version 2 by default. */
  readonly command?: number;
  /** Family and protocol; by default that of `source` over TCP. */
  readonly transport?: number;
  /** In place of addresses and TLVs. */
  readonly block?: Buffer;
}

export function proxyV2({
  source = "0.0.0.0",
  tlvs = Buffer.alloc(0),
  command = 0x21,
  transport,
  block,
}: ProxyV2): Buffer {
  const content = block ?? Buffer.concat([addresses(source), tlvs]);
  const head = Buffer.from([command, transport ?? (isIPv6(source) ? 0x21 : 0x11), 0, 0]);
  head.writeUInt16BE(content.length, 2);
  return Buffer.concat([SIGNATURE, head, content]);
}

function addresses(source: string): Buffer {
  const from = isIPv6(source) ? ipv6(source) : Buffer.from(source.split(".").map(Number));
  return Buffer.concat([from, Buffer.alloc(from.length, 1), Buffer.from([0xdc, 0x04, 0x01, 0xbb])]);
}

/** Through the URL parser, which writes every group out in hexadecimal. */
function ipv6(text: string): Buffer {
  const hex = new URL(`http://[${text}]/`).hostname.slice(1, -1);
  const [left = "", right] = hex.split("::");
  const groups = (half: string) => (half === "" ? [] : half.split(":"));
  const missing = 8 - groups(left).length - groups(right ?? "").length;
  const all =
    right === undefined ? groups(left) : [...groups(left), ...Array<string>(missing).fill("0"), ...groups(right)];
  return Buffer.from(all.map((group) => group.padStart(4, "0")).join(""), "hex");
}
