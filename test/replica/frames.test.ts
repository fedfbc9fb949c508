import fc from "fast-check";
import t from "tap";
import { encodeFrame, type Frame, FrameError, FrameReader } from "../../src/replica/frames.ts";

const LIMIT = 1 << 20;

t.test("frames survive being cut anywhere", async (t) => {
  const frame = fc.record({ message: fc.jsonValue(), bytes: fc.uint8Array({ maxLength: 200 }) });
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      (frames, cuts) => {
        const stream = Buffer.concat(frames.flatMap(({ message, bytes }) => encodeFrame(message, [bytes])));
        const read: Frame[] = [];
        const reader = new FrameReader(LIMIT);
        for (let at = 0, turn = 0; at < stream.byteLength; turn += 1) {
          const end = at + (cuts[turn % cuts.length] ?? 1);
          reader.push(stream.subarray(at, end), (one) => read.push(one));
          at = end;
        }
        t.strictSame(
          read.map(({ message, bytes }) => [JSON.stringify(message), [...bytes]]),
          frames.map(({ message, bytes }) => [JSON.stringify(message), [...bytes]]),
        );
      },
    ),
    { numRuns: 100 },
  );
});

t.test("a frame over the limit, under four bytes or with a false inner length is refused", async (t) => {
  const words = (...values: number[]): Buffer => {
    const bytes = Buffer.alloc(values.length * 4);
    for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4);
    return bytes;
  };
  for (const bytes of [words(LIMIT + 1), words(3), words(4, 1), words(0xffff_ffff)]) {
    t.throws(() => new FrameReader(LIMIT).push(bytes, () => {}), FrameError, bytes.toString("hex"));
  }
  const [head = new Uint8Array()] = encodeFrame({ a: 1 });
  const broken = Buffer.from(head);
  broken[8] = "[".charCodeAt(0);
  t.throws(() => new FrameReader(LIMIT).push(broken, () => {}), FrameError);
});
