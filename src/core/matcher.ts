/** The compiled allowlist of one tenant: which live entry, if any, covers an address. */
import type { Address } from "./address.ts";
import { SallyportError } from "./errors.ts";
import { type EntryId, unpackEntryId } from "./ids.ts";
import { LayeredRecords } from "./matcher-layers.ts";
import {
  checkRecords,
  type EntryKey,
  type MatcherEntry,
  NEVER,
  packEntries,
  sortRecords,
  strideOf,
} from "./matcher-records.ts";
import type { Segment } from "./matcher-segment.ts";

export type { EntryKey, MatcherEntry };

const NOTHING = new Uint32Array(0);
/** First words of the compiled form. On a machine of the other byte order they read otherwise, and it is refused. */
const MAGIC = 0x53_4c_59_50;
const VERSION = 1;

/**
 * IPv4 and IPv6 apart; 20 and 32 bytes an entry, and 4 for the index. Lookups cost about the same for ten
 * entries and for a million. The slots that `lookup` gives hold until the next `apply`.
 */
export class AllowlistMatcher {
  readonly #ipv4: LayeredRecords;
  readonly #ipv6: LayeredRecords;
  /** Entries that admitted somebody since the last `takeSeen`, and when. */
  #seen: Map<EntryId, number> | undefined;

  /** @param ipv4 sorted records @param ipv6 sorted records */
  private constructor(ipv4: Uint32Array, ipv6: Uint32Array) {
    this.#ipv4 = new LayeredRecords(1, ipv4);
    this.#ipv6 = new LayeredRecords(4, ipv6);
  }

  /**
   * Compiles entries in any order. Their ids are distinct; several may have the same prefix. Under a
   * microsecond an entry.
   * @throws SallyportError `internal` for a malformed id or a prefix with host bits; our parsers make neither
   */
  static compile(entries: Iterable<MatcherEntry>): AllowlistMatcher {
    const list = [...entries];
    return new AllowlistMatcher(sortRecords(packEntries(list, 1), 1), sortRecords(packEntries(list, 4), 4));
  }

  /** Without entries: admits nobody. */
  static empty(): AllowlistMatcher {
    return new AllowlistMatcher(NOTHING, NOTHING);
  }

  /**
   * The inverse of {@link toParts}. Takes no part on trust: parents and index are made anew.
   * @throws SallyportError `internal` for parts that `toParts` could not have made on a machine like this one
   */
  static fromParts(parts: readonly Uint8Array[]): AllowlistMatcher {
    const [header = NOTHING, ipv4 = NOTHING, ipv6 = NOTHING] = parts.map(readWords);
    const [magic, version, ipv4Words, ipv6Words] = header;
    const known = parts.length === 3 && header.length === 4 && magic === MAGIC && version === VERSION;
    const whole = ipv4.length === ipv4Words && ipv6.length === ipv6Words;
    if (!known || !whole || ipv4.length % strideOf(1) > 0 || ipv6.length % strideOf(4) > 0) throw unreadable();
    checkRecords(ipv4, 1);
    checkRecords(ipv6, 4);
    return new AllowlistMatcher(ipv4, ipv6);
  }

  /** The compiled form as bytes that share nothing with this matcher: a header, the IPv4 and the IPv6 records. */
  toParts(): Uint8Array[] {
    const ipv4 = this.#ipv4.flatten();
    const ipv6 = this.#ipv6.flatten();
    const header = Uint32Array.of(MAGIC, VERSION, ipv4.length, ipv6.length);
    return [header, ipv4, ipv6].map((words) => new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
  }

  /** How many entries there are, expired ones included. */
  get size(): number {
    return this.#ipv4.size + this.#ipv6.size;
  }

  /** Of the typed arrays. */
  get byteLength(): number {
    return this.#ipv4.byteLength + this.#ipv6.byteLength;
  }

  /**
   * The slot of the most specific entry that covers the address and has not expired, or -1. An entry has
   * expired from the second `expiresAtSeconds` on.
   *
   * Hot path: no allocation, no throw.
   */
  lookup(address: Address, nowSeconds: number): number {
    const { family, a, b, c, d } = address;
    const records = family === 4 ? this.#ipv4 : this.#ipv6;
    const slot = records.find(a, b, c, d, nowSeconds);
    return slot < 0 ? -1 : slot * 2 + (family === 4 ? 0 : 1);
  }

  /** Whether the entry is there with this prefix, expired or not. */
  has({ id, prefix }: EntryKey): boolean {
    const entry = [{ id, prefix, expiresAtSeconds: 0 }];
    return this.#ipv4.has(packEntries(entry, 1)) && this.#ipv6.has(packEntries(entry, 4));
  }

  entryId(slot: number): EntryId {
    const segment = this.#segmentOf(slot);
    return unpackEntryId(segment.records, segment.idOffset(slot >>> 3));
  }

  /** Seconds since 1970; 0: never. */
  expiresAtSeconds(slot: number): number {
    const expiry = this.#segmentOf(slot).expiry(slot >>> 3);
    return expiry === NEVER ? 0 : expiry;
  }

  /**
   * Carries out removals, then additions and changed expiries, in time that hardly grows with the list: one
   * change among a million takes well under a millisecond, since larger work is spread over the calls to come.
   *
   * An entry is found by its id and prefix together. So who moves an entry to another prefix names its former
   * prefix among the removals, and an id is among `upserts` only if that is how it ends. Of several upserts of
   * one id the last holds.
   * @returns how many removals named an entry that is not there
   * @throws SallyportError `internal` as `compile` does; then nothing has changed
   */
  apply(upserts: readonly MatcherEntry[], removals: readonly EntryKey[]): number {
    const last = [...new Map(upserts.map((entry) => [entry.id, entry])).values()];
    const gone = removals.map(({ id, prefix }) => ({ id, prefix, expiresAtSeconds: 0 }));
    const ipv4 = [packEntries(gone, 1), packEntries(last, 1)] as const;
    const ipv6 = [packEntries(gone, 4), packEntries(last, 4)] as const;
    return this.#ipv4.change(...ipv4) + this.#ipv6.change(...ipv6);
  }

  /**
   * Notes that the entry admitted somebody: once a minute and entry, or again after a change.
   * Hot path: reads and compares one number unless there is something to note.
   */
  noteSeen(slot: number, nowSeconds: number): void {
    const segment = this.#segmentOf(slot);
    segment.seen ??= new Uint16Array(segment.count);
    const minute = (Math.floor(nowSeconds / 60) % 0xffff) + 1;
    if (segment.seen[slot >>> 3] === minute) return;
    segment.seen[slot >>> 3] = minute;
    this.#seen ??= new Map();
    this.#seen.set(this.entryId(slot), nowSeconds);
  }

  /** The entries noted since the last call, with the latest second noted. */
  takeSeen(): [EntryId, number][] {
    const seen = this.#seen === undefined ? [] : [...this.#seen];
    this.#seen = undefined;
    return seen;
  }

  /** A slot is twice the one in the records of its family, plus 1 for IPv6. */
  #segmentOf(slot: number): Segment {
    return (slot & 1) === 0 ? this.#ipv4.segmentOf(slot >>> 1) : this.#ipv6.segmentOf(slot >>> 1);
  }
}

/** Copies, so that neither alignment nor later changes of the bytes matter. A length that is no whole number of words reads as nothing. */
function readWords(bytes: Uint8Array): Uint32Array {
  return bytes.byteLength % 4 === 0 ? new Uint32Array(new Uint8Array(bytes).buffer) : NOTHING;
}

function unreadable(): SallyportError {
  return new SallyportError("internal", "a compiled allowlist cannot be read: it is damaged, or of another version");
}
