/** Which header fields and trailers may pass the edge, by name. The tables here are the whole policy. */
import { withoutBlanks } from "../core/blanks.ts";

/** What becomes of a field. Those that are neither `pass` nor `drop` have a meaning for the edge itself. */
export type FieldRule =
  | "pass"
  | "drop"
  | "connection"
  | "keep-alive"
  | "content-length"
  | "transfer-encoding"
  | "cookie"
  | "set-cookie"
  | "te"
  | "trailer"
  | "expect"
  | "upgrade";

/** A Content-Length that can be counted with. */
export const DIGITS = /^[0-9]{1,15}$/;

/** Stricter than RFC 9110, 5.5: visible ASCII and spaces, so that no character can be read in two ways, not even a tab behind `chunked`. */
export const FIELD_LINES = /^(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\x20-\x7e]*\r\n)+$/;

/** The length of a message that states none. */
export const NO_LENGTH = -1;

/** Fields of one connection (RFC 9110, 7.6.1), and `Proxy`, which CGI programs take for a setting of theirs (httpoxy). */
const HOP_BY_HOP = [
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "http2-settings",
  "proxy",
];

/**
 * Fields by which proxies tell who the client is or what it asked for. An application believes them, so a
 * client's own never arrive: ours are added afterwards, and the rest stay absent.
 */
const CLAIMS = [
  "forwarded",
  "x-real-ip",
  "x-client-ip",
  "x-client-cert",
  "x-remote-ip",
  "x-remote-addr",
  "x-remote-user",
  "x-cluster-client-ip",
  "x-originating-ip",
  "x-proxyuser-ip",
  "x-envoy-external-address",
  "x-appengine-user-ip",
  "x-azure-clientip",
  "x-azure-socketip",
  "client-ip",
  "true-client-ip",
  "proxy-client-ip",
  "wl-proxy-client-ip",
  "wl-proxy-ssl",
  "cf-connecting-ip",
  "cf-connecting-ipv6",
  "cf-pseudo-ipv4",
  "fastly-client-ip",
  "fly-client-ip",
  "front-end-https",
  "remote-user",
  "x-scheme",
  "x-url-scheme",
  "x-host",
  "x-rewrite-url",
];
/** Likewise, by prefix: `X-Forwarded-User`, `X-Original-URL`, `X-Auth-Request-Email`, and all of our own. */
const CLAIM_PREFIXES = ["sallyport-", "x-forwarded-", "x-original-", "x-auth-request-"];

const REQUEST_FIELDS = rules([...HOP_BY_HOP, ...CLAIMS, "host"], {
  connection: "connection",
  "content-length": "content-length",
  "transfer-encoding": "transfer-encoding",
  cookie: "cookie",
  te: "te",
  trailer: "trailer",
  expect: "expect",
  upgrade: "upgrade",
});

/** `Alt-Svc` speaks of the upstream's own ports, which a browser would try in vain at ours, or past us. */
const RESPONSE_FIELDS = rules([...HOP_BY_HOP, "te", "alt-svc"], {
  connection: "connection",
  "keep-alive": "keep-alive",
  "content-length": "content-length",
  "transfer-encoding": "transfer-encoding",
  "set-cookie": "set-cookie",
  trailer: "trailer",
  upgrade: "upgrade",
});

/** Not allowed in trailers, since they frame, route, authenticate or control the message (RFC 9110, 6.5.1). */
const NEVER_TRAILERS = new Set([
  ...["host", "connection", "te", "trailer", "transfer-encoding", "upgrade", "expect", "max-forwards"],
  ...["authorization", "cookie", "set-cookie", "www-authenticate", "authentication-info", "origin", "referer"],
  ...["content-length", "content-encoding", "content-type", "content-range", "content-location", "location"],
  ...["cache-control", "pragma", "age", "expires", "date", "vary", "retry-after", "range", "if-match"],
  ...["if-none-match", "if-modified-since", "if-unmodified-since", "if-range", "strict-transport-security"],
]);

/** Letters, digits and hyphens: anything else CGI-like servers fold into another field's name (`X_Forwarded_For`). */
const PLAIN_NAME = /^[a-z0-9-]+$/;

/** Names are remembered as they are spelt, up to this many: clients repeat theirs, and an attacker's cost no memory. */
const MEMORY = 1_000;
const requestMemory = new Map<string, FieldRule>();
const responseMemory = new Map<string, FieldRule>();

/** The rule for a request field. Hot path: one hash look-up for a name seen before. */
export function requestRule(name: string): FieldRule {
  const known = requestMemory.get(name);
  return known ?? remember(requestMemory, name, classifyRequest(name.toLowerCase()));
}

/** The rule for a response field. Hot path: one hash look-up for a name seen before. */
export function responseRule(name: string): FieldRule {
  const known = responseMemory.get(name);
  if (known !== undefined) return known;
  const lower = name.toLowerCase();
  return remember(
    responseMemory,
    name,
    lower.startsWith("sallyport-") ? "drop" : (RESPONSE_FIELDS.get(lower) ?? "pass"),
  );
}

/**
 * The trailers that may pass, in pairs; both directions have the same rule. A field that may not stand in a
 * request's header section from outside may not stand in trailers either.
 * @param raw names and values in turn
 */
export function passedTrailers(raw: readonly string[]): [string, string][] {
  const passed: [string, string][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? "";
    if (maybeTrailer(name)) passed.push([name, raw[index + 1] ?? ""]);
  }
  return passed;
}

/** The value of a `Trailer` field without the names that will not be passed; empty when none is left. */
export function announcedTrailers(value: string): string {
  return value
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && maybeTrailer(name))
    .join(", ");
}

/** What a `Connection` field names that is no field, or is handled by itself. */
const NOT_NOMINATED = new Set(["", "close", "keep-alive", "te", "upgrade"]);
const NOTHING: readonly string[] = [];

/** The fields, in lower case, that a `Connection` field nominates to go no further than here. */
export function nominatedBy(connection: string): readonly string[] {
  if (connection === "keep-alive" || connection === "close") return NOTHING;
  const tokens = connection.split(",").map((token) => token.trim().toLowerCase());
  return tokens.filter((token) => !NOT_NOMINATED.has(token));
}

/** Takes the nominated fields out of names and values in turn. */
export function dropNominated(fields: readonly string[], nominated: readonly string[]): string[] {
  const dropped = new Set(nominated);
  const kept: string[] = [];
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const name = fields[index] ?? "";
    if (!dropped.has(name.toLowerCase())) kept.push(name, fields[index + 1] ?? "");
  }
  return kept;
}

/** The inverse of {@link fieldsOf}. @param fields names and values in turn, well-formed. Hot path. */
export function linesOf(fields: readonly string[]): string {
  let lines = "";
  for (let index = 0; index + 1 < fields.length; index += 2) lines += `${fields[index]}: ${fields[index + 1]}\r\n`;
  return lines;
}

/** @param lines whole lines, each well-formed and with its CR LF. @returns names and values in turn */
export function fieldsOf(lines: string): string[] {
  const fields: string[] = [];
  for (let at = 0; at < lines.length; ) {
    const colon = lines.indexOf(":", at);
    const end = lines.indexOf("\r\n", colon);
    fields.push(lines.slice(at, colon), withoutBlanks(lines, colon + 1, end));
    at = end + 2;
  }
  return fields;
}

function classifyRequest(lower: string): FieldRule {
  if (!PLAIN_NAME.test(lower)) return "drop";
  for (const prefix of CLAIM_PREFIXES) if (lower.startsWith(prefix)) return "drop";
  return REQUEST_FIELDS.get(lower) ?? "pass";
}

function maybeTrailer(name: string): boolean {
  const lower = name.toLowerCase();
  return classifyRequest(lower) === "pass" && !NEVER_TRAILERS.has(lower);
}

function rules(
  dropped: readonly string[],
  special: Readonly<Record<string, FieldRule>>,
): ReadonlyMap<string, FieldRule> {
  const table = new Map<string, FieldRule>();
  for (const name of dropped) table.set(name, "drop");
  for (const [name, rule] of Object.entries(special)) table.set(name, rule);
  return table;
}

function remember(memory: Map<string, FieldRule>, name: string, rule: FieldRule): FieldRule {
  if (memory.size < MEMORY) memory.set(ownText(name), rule);
  return rule;
}

/** A copy for what is kept: a part of a string keeps all of it, here a whole head. */
export function ownText(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}
