import fc from "fast-check";
import t from "tap";
import { linesOf, RankIndex } from "../../src/core/matcher-index.ts";

const WORD = 2 ** 32;
const IPV4_STRIDE = 5;

/** Sorted IPv4 records, as far as the index reads them. */
function recordsOf(networks: readonly number[]): Uint32Array {
  const records = new Uint32Array(networks.length * IPV4_STRIDE);
  networks
    .toSorted((left, right) => left - right)
    .forEach((network, rank) => {
      records[rank * IPV4_STRIDE] = network;
    });
  return records;
}

function networksIn(records: Uint32Array): number[] {
  return Array.from({ length: records.length / IPV4_STRIDE }, (_, rank) => records[rank * IPV4_STRIDE] as number);
}

/** Numbers as `networkNumber` makes them of an IPv4 network. */
function indexOf(records: Uint32Array, like: Uint32Array): RankIndex {
  const networks = networksIn(records);
  const index = new RankIndex(networks.length, linesOf(like, like.length / IPV4_STRIDE, 1));
  networks.forEach((network, rank) => {
    index.add(network * WORD, rank);
  });
  index.seal(networks.length);
  return index;
}

const uneven = fc
  .array(fc.tuple(fc.nat(WORD - 1), fc.nat(24), fc.integer({ min: 1, max: 200 })), { minLength: 1, maxLength: 12 })
  .map((blocks) =>
    recordsOf(
      blocks.flatMap(([base, bits, count]) =>
        Array.from({ length: count }, (_, i) => Math.min(WORD - 1, base + Math.floor((i * 2 ** bits) / count))),
      ),
    ),
  );

t.test("a record is in the bucket that its network belongs to, whatever the lines were made for", (t) => {
  fc.assert(
    fc.property(uneven, uneven, fc.boolean(), (records, other, foreign) => {
      const index = indexOf(records, foreign ? other : records);
      return networksIn(records).every((network, rank) => {
        const bucket = index.bucketOf(network * WORD);
        return index.start(bucket) <= rank && rank < index.start(bucket + 1);
      });
    }),
    { numRuns: 300 },
  );
  t.end();
});

t.test("buckets ascend with the network", (t) => {
  fc.assert(
    fc.property(uneven, fc.nat(WORD - 1), fc.nat(WORD - 1), (records, one, other) => {
      const index = indexOf(records, records);
      return index.bucketOf(Math.min(one, other) * WORD) <= index.bucketOf(Math.max(one, other) * WORD);
    }),
  );
  t.end();
});

t.test("dense blocks have a line each, and few records a bucket, however far off others are", (t) => {
  const blocks = [0x5000_0000, 0x5100_0000, 0x5fff_0000, 0xa000_0000];
  const dense = blocks.flatMap((base) => Array.from({ length: 1000 }, (_, i) => base + i * 16));
  const records = recordsOf([0, ...dense, WORD - 1]);
  t.equal(linesOf(records, records.length / IPV4_STRIDE, 1).length, blocks.length);
  const index = indexOf(records, records);
  const sizes = dense.map((network) => {
    const bucket = index.bucketOf(network * WORD);
    return index.start(bucket + 1) - index.start(bucket);
  });
  t.ok(Math.max(...sizes) <= 3, `up to ${Math.max(...sizes)} records in a bucket`);
  t.end();
});

t.test("one prefix alone, and no prefix at all, are a line too", (t) => {
  t.equal(linesOf(recordsOf([]), 0, 1).length, 1);
  t.equal(linesOf(recordsOf(Array(5000).fill(7)), 5000, 1).length, 1);
  t.end();
});
