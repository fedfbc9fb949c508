/** Sizes and endpoints as people write them. Each parser gives `undefined` for what it does not know. */
import { isIPv4, isIPv6 } from "node:net";
import type { Endpoint } from "./settings.ts";

const BYTES: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

export const SIZE_PATTERN = "^(0|[1-9][0-9]{0,8})(B|KiB|MiB|GiB)$";

/** `32KiB`, `1MiB`, or whole bytes → bytes. */
export function parseBytes(value: string | number): number | undefined {
  if (typeof value === "number") return value;
  const [, digits, unit = ""] = new RegExp(SIZE_PATTERN).exec(value) ?? [];
  const factor = BYTES[unit];
  return factor === undefined ? undefined : Number(digits) * factor;
}

/** `127.0.0.1:8080`, `[::1]:8080`: a numeric address, so that where it listens cannot depend on a resolver. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const [, host4, host6, digits] = /^(?:([0-9.]+)|\[([0-9a-fA-F:.]+)\]):(0|[1-9][0-9]{0,4})$/.exec(text) ?? [];
  const host = host4 ?? host6;
  const port = Number(digits);
  if (host === undefined || port > 65_535) return undefined;
  return (host4 === undefined ? isIPv6(host) : isIPv4(host)) ? { host, port } : undefined;
}

export function formatEndpoint(endpoint: Endpoint): string {
  return endpoint.host.includes(":") ? `[${endpoint.host}]:${endpoint.port}` : `${endpoint.host}:${endpoint.port}`;
}

/** Whether only this machine can reach it. */
export function isLoopback(endpoint: Endpoint): boolean {
  return endpoint.host === "::1" || /^127\./.test(endpoint.host);
}
