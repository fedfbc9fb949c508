/** IP addresses as text: a strict reader into 32-bit words, and the RFC 5952 writer. */

const COLON = 58;
const DOT = 46;
const ZERO = 48;
const LONGEST_IPV6 = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255".length;

/** The value of a hexadecimal digit, for every code unit that a string can hold; -1 for what is none. */
const DIGITS = new Int8Array(0x1_0000).fill(-1);
for (let value = 0; value < 16; value++) {
  DIGITS[value.toString(16).charCodeAt(0)] = value;
  DIGITS[value.toString(16).toUpperCase().charCodeAt(0)] = value;
}

/**
 * Reads four dotted decimal numbers without leading zeros, from `from` to the end of the text.
 * Hot path: no allocation, no throw.
 * @returns the address as an unsigned 32-bit number, or -1.
 */
export function readIpv4(text: string, from: number): number {
  let word = 0;
  let octet = -1;
  let dots = 0;
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === DOT) {
      if (octet < 0 || ++dots > 3) return -1;
      word = word * 256 + octet;
      octet = -1;
    } else {
      const digit = code - ZERO;
      if (digit < 0 || digit > 9 || octet === 0) return -1;
      octet = octet < 0 ? digit : octet * 10 + digit;
      if (octet > 255) return -1;
    }
  }
  return dots === 3 && octet >= 0 ? word * 256 + octet : -1;
}

/**
 * Reads an IPv6 address (RFC 4291 section 2.2, all three forms; no zone, no brackets) into eight groups.
 * Hot path: no allocation, no throw.
 * @param groups receives the groups; holds nothing of use when the answer is false
 */
export function readIpv6(text: string, groups: Uint16Array): boolean {
  const end = text.length;
  if (end < 2 || end > LONGEST_IPV6) return false;
  let gap = gapAtStart(text);
  let at = gap === 0 ? 2 : 0;
  let count = 0;
  while (at < end) {
    const start = at;
    // Most groups have four digits: with one branch for all of them, and no call that V8 may leave a call, a long
    // address takes half the time.
    let group = -1;
    if (at + 4 <= end) {
      const high = ((DIGITS[text.charCodeAt(at)] as number) << 4) | (DIGITS[text.charCodeAt(at + 1)] as number);
      const low = ((DIGITS[text.charCodeAt(at + 2)] as number) << 4) | (DIGITS[text.charCodeAt(at + 3)] as number);
      if ((high | low) >= 0) group = (high << 8) | low;
    }
    if (group < 0) at = readShortGroup(text, start, end, groups, count);
    else {
      groups[count] = group;
      at += 4;
    }
    if (at === start) {
      // Nothing between two colons, of which the first is behind us.
      if (gap >= 0 || count === 0 || text.charCodeAt(at++) !== COLON) return false;
      gap = count;
      continue;
    }
    count++;
    if (at === end) break;
    const code = text.charCodeAt(at++);
    if (code === DOT) return readDottedEnd(text, start, groups, count - 1, gap);
    if (code !== COLON || count === 8 || at === end) return false;
  }
  return closeGap(groups, count, gap);
}

function gapAtStart(text: string): number {
  return text.charCodeAt(0) === COLON && text.charCodeAt(1) === COLON ? 0 : -1;
}

/** Reads fewer digits than four into `groups[index]`. @returns where they end */
function readShortGroup(text: string, start: number, end: number, groups: Uint16Array, index: number): number {
  let at = start;
  let group = 0;
  for (; at < end; at++) {
    const digit = DIGITS[text.charCodeAt(at)] as number;
    if (digit < 0) break;
    group = (group << 4) | digit;
  }
  groups[index] = group;
  return at;
}

/** Reads the dotted decimal end of an IPv6 address as its last two groups. */
function readDottedEnd(text: string, from: number, groups: Uint16Array, count: number, gap: number): boolean {
  const word = count <= 6 ? readIpv4(text, from) : -1;
  if (word < 0) return false;
  groups[count] = word >>> 16;
  groups[count + 1] = word;
  return closeGap(groups, count + 2, gap);
}

/** Puts zeros where `::` stood; it stands for one group or more. */
function closeGap(groups: Uint16Array, count: number, gap: number): boolean {
  if (gap < 0) return count === 8;
  if (count > 7) return false;
  const missing = 8 - count;
  for (let i = 7; i >= gap; i--) groups[i] = i >= gap + missing ? (groups[i - missing] as number) : 0;
  return true;
}

export function writeIpv4(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
}

/** RFC 5952: lower case, no leading zeros, the first of the longest runs of two or more zero groups as `::`. */
export function writeIpv6(a: number, b: number, c: number, d: number): string {
  const groups = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff, c >>> 16, c & 0xffff, d >>> 16, d & 0xffff];
  let start = -1;
  let longest = 1;
  for (let i = 0, run = 0; i < 8; i++) {
    run = groups[i] === 0 ? run + 1 : 0;
    if (run > longest) {
      longest = run;
      start = i + 1 - run;
    }
  }
  const hex = groups.map((group) => group.toString(16));
  if (start < 0) return hex.join(":");
  return `${hex.slice(0, start).join(":")}::${hex.slice(start + longest).join(":")}`;
}
