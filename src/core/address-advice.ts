/** What to tell somebody whose address or prefix was refused: what is wrong, and what to write instead. */
import { isIP } from "node:net";

const EXAMPLE = "write an address such as 203.0.113.7 or 2001:db8::7, or a CIDR such as 203.0.113.0/24";
/** How much of an input is looked at and quoted. */
const SHOWN = 60;

/** The first that fits the address part speaks. All but the second see printable ASCII alone. */
const MISTAKES: readonly (readonly [RegExp, (address: string) => string])[] = [
  [/^$/, () => `no address; ${EXAMPLE}`],
  [/[^!-~]/, blankOrForeign],
  [/%/, (text) => `a zone id ("%…") names an interface of one machine; write ${text.replace(/%.*/, "")} without it`],
  [
    /^\[.*\](:[0-9]*)?$/,
    (text) => `brackets and ports do not belong here; write ${text.replace(/^\[(.*)\].*$/, "$1")}`,
  ],
  [/^[0-9.]+:[0-9]*$/, (text) => `a port does not belong here; write ${text.replace(/:.*/, "")}`],
  [/^[0-9]+(\.[0-9]+){3}-/, () => "a range is not accepted; write it as one or more CIDRs such as 203.0.113.0/24"],
  [/\*/, () => "a wildcard is not accepted; write a CIDR such as 203.0.113.0/24"],
  [/^[0-9]+(\.[0-9]+){3}$/, dottedDecimal],
  [/^(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+))*$/i, shorthand],
  [
    /^[0-9a-f:.]+$/i,
    () =>
      'not an IPv6 address: eight groups of one to four hexadecimal digits, or fewer with one "::"; write it like 2001:db8::7',
  ],
  [/[g-z]/i, () => `a name, not an address; ${EXAMPLE}`],
];

/** Why `text` cannot be read, for an address part that `parseAddress` refused. */
export function addressAdvice(text: string, address: string): string {
  const start = address.slice(0, SHOWN);
  const mistake = MISTAKES.find(([pattern]) => pattern.test(start));
  return `${quote(text)}: ${mistake === undefined ? `not an address; ${EXAMPLE}` : mistake[1](start)}`;
}

/** Why the part after the slash cannot be a prefix length between `least` and `most`. */
export function lengthAdvice(text: string, address: string, length: string, least: number, most: number): string {
  if (least > 0 && /^[0-9]{1,2}$/.test(length)) {
    return `${quote(text)}: an IPv4-mapped prefix needs a length of ${least} to ${most}; write the IPv4 prefix itself, such as 10.0.0.0/8`;
  }
  const meant = length.trim();
  const fits = /^[0-9]{1,4}$/.test(meant) && Number(meant) >= least && Number(meant) <= most;
  const instead = fits ? `write /${Number(meant)}` : `leave "/…" out for ${address} alone`;
  return `${quote(text)}: the length after "/" is a plain decimal number from ${least} to ${most}; ${instead}`;
}

/** Why a prefix with bits set beyond its length is refused: it is unclear which of the two was meant. */
export function hostBitsAdvice(text: string, address: string, network: string): string {
  return `${quote(text)}: the address has bits set beyond the prefix length; write ${network} for the network, or ${address} for that address alone`;
}

function blankOrForeign(text: string): string {
  const cleaned = text.normalize("NFKC").replace(/[^!-~]/g, "");
  const found = [...text].find((character) => !/[!-~]/.test(character)) ?? "";
  const code = (found.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  const instead =
    cleaned === ""
      ? EXAMPLE
      : `write it in ASCII digits and without blanks${isIP(cleaned) > 0 ? `, such as ${cleaned}` : ""}`;
  return `the character U+${code} is not allowed; ${instead}`;
}

function dottedDecimal(text: string): string {
  const octets = text.split(".");
  const large = octets.find((octet) => Number(octet) > 255);
  if (large !== undefined) return `${large.slice(0, 12)} is more than 255; write four numbers from 0 to 255`;
  return `a leading zero is refused, since some programs read it as octal; write ${octets.map(Number).join(".")}`;
}

/** Octal, hexadecimal, integer and short forms: `URL` reads them all as `inet_aton` does. */
function shorthand(text: string): string {
  const meant = URL.parse(`http://${text}/`)?.hostname ?? "";
  const instead = /^[0-9.]+$/.test(meant)
    ? `, such as ${meant} if that is what is meant`
    : " from 0 to 255, such as 203.0.113.7";
  return `not four decimal numbers; write all four with dots${instead}`;
}

/** The input as JSON in ASCII, cut short, so that no character hides in it or breaks a log line. */
function quote(text: string): string {
  const cut = text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
  return JSON.stringify(cut).replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
