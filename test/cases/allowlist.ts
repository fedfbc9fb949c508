/** Hostile and unusual allowlist input (cases 16 and 17): what is refused, and what it is taken for. */

export interface AllowlistCase {
  readonly number: number;
  readonly cidr: unknown;
  /** What it comes back as; absent when it is refused. */
  readonly canonical?: string;
  readonly code?: "address_invalid" | "broad_prefix" | "body_invalid";
  /** What the refusal must offer. */
  readonly offers?: string;
}

const refused = (cidr: unknown, offers?: string): AllowlistCase => ({
  number: 16,
  cidr,
  code: "address_invalid",
  ...(offers === undefined ? {} : { offers }),
});
const broad = (cidr: string): AllowlistCase => ({ number: 16, cidr, code: "broad_prefix" });
const shapeless = (cidr: unknown): AllowlistCase => ({ number: 16, cidr, code: "body_invalid" });
const taken = (cidr: string, canonical: string, number = 16): AllowlistCase => ({ number, cidr, canonical });

export const ALLOWLIST_CASES: readonly AllowlistCase[] = [
  ...["0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "10.0.0.0/7", "2000::/3", "2001:d00::/31"].map(broad),
  refused("203.0.113.7/24", "203.0.113.0/24"),
  refused("2001:db8::1/32", "2001:db8::/32"),
  refused("010.0.0.1", "10.0.0.1"),
  refused("1.2.3.4/024"),
  ...["0x7f.1", "0x7f000001", "2130706433", "10.1", "10.0.1", "1.2.3.4.5", "1.2.3", "256.1.1.1", "1.2.3.-4"].map(
    (text) => refused(text),
  ),
  ...["fe80::1%eth0", "fe80::1%25eth0/64", "2001:db8::/129", "10.0.0.0/33", "10.0.0.0/-1", "2001:db8::/-1"].map(
    (text) => refused(text),
  ),
  ...["10.0.0.0/ 24", "10.0.0.0 /24", " 10.0.0.1", "10.0.0.1 ", "10.0.0.1\n", "10.0.0.0/", "/24", "10.0.0.0//24"].map(
    (text) => refused(text),
  ),
  ...[
    "\u0661\u0660.0.0.1",
    "\uff11\uff10.0.0.1",
    "10.0.0.1\u00a0",
    "\ufeff10.0.0.1",
    "10.0.0.1\0",
    "10\u30020.0.1",
  ].map((text) => refused(text)),
  ...[
    "",
    "localhost",
    "happyfeet.example",
    "*",
    "10.0.0.*",
    "10.0.0.1-10.0.0.9",
    "10.0.0.1:80",
    "[::1]",
    "::g",
    ":::",
    "1::2::3",
  ].map((text) => refused(text)),
  ...[null, 167772161, true, ["10.0.0.1"], { toString: "10.0.0.1" }, "1".repeat(10_000)].map(shapeless),
  taken("10.0.0.0/8", "10.0.0.0/8"),
  taken("203.0.113.7", "203.0.113.7/32"),
  taken("2001:DB8:0:0::0/32", "2001:db8::/32"),
  taken("2001:db8::1", "2001:db8::1/128"),
  taken("::ffff:10.0.0.0/104", "10.0.0.0/8", 17),
  taken("::ffff:a00:1", "10.0.0.1/32", 17),
  { number: 17, cidr: "::ffff:0:0/95", code: "address_invalid" },
  { number: 17, cidr: "::ffff:0.0.0.0/90", code: "address_invalid" },
  { number: 17, cidr: "::ffff:0.0.0.0/96", code: "broad_prefix" },
];
