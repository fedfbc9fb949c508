/** Generated address texts: every spelling of RFC 4291, dense where parsers and matchers go wrong. */
import fc from "fast-check";

const octets = fc.oneof(fc.constantFrom(0, 1, 9, 10, 99, 100, 127, 128, 199, 200, 254, 255), fc.nat(255));

/** Dotted decimal. */
const ipv4Texts = fc.tuple(octets, octets, octets, octets).map((numbers) => numbers.join("."));

const groups = fc.oneof(
  { weight: 4, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.constantFrom(1, 0xffff, 0x8000, 0x2001, 0xdb8) },
  { weight: 2, arbitrary: fc.nat(0xffff) },
);

function spell(numbers: readonly number[], width: number, upper: boolean, gap: number, dotted: boolean): string {
  const texts = numbers.map((number) => {
    const hex = number.toString(16).padStart(width, "0");
    return upper ? hex.toUpperCase() : hex;
  });
  if (dotted) {
    const [high = 0, low = 0] = numbers.slice(6);
    texts.splice(6, 2, `${high >>> 8}.${high & 255}.${low >>> 8}.${low & 255}`);
  }
  let end = gap;
  while (end < (dotted ? 6 : 8) && numbers[end] === 0) end++;
  if (end === gap) return texts.join(":");
  return `${texts.slice(0, gap).join(":")}::${texts.slice(end).join(":")}`;
}

/** IPv6 text with leading zeros, either case, `::` for any run of zeros, and a dotted decimal end. */
const ipv6Texts = fc
  .tuple(
    fc.array(groups, { minLength: 8, maxLength: 8 }),
    fc.integer({ min: 1, max: 4 }),
    fc.boolean(),
    fc.nat(7),
    fc.boolean(),
  )
  .map(([numbers, width, upper, gap, dotted]) => spell(numbers, width, upper, gap, dotted));

const mappedTexts = ipv4Texts.map((text) => `::ffff:${text}`);

/** Any accepted spelling of an address of either family, IPv4-mapped ones included. */
export const addressTexts = fc.oneof(ipv4Texts, ipv6Texts, mappedTexts);
