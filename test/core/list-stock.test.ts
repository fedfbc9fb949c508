/** What a replacement takes from the present entries: as looking through all of them would find, at a cost that stays small. */
import fc from "fast-check";
import t from "tap";
import type { EntryView } from "../../src/core/entries.ts";
import type { AllowlistEntry, EntryKind } from "../../src/core/entry.ts";
import { endInPlace, mayEnd } from "../../src/core/entry-lifetime.ts";
import type { EntryId } from "../../src/core/ids.ts";
import { withFacts } from "../../src/core/list-difference.ts";
import { type Become, ListStock, sameFacts } from "../../src/core/list-stock.ts";

const CIDR = "192.0.2.1/32";
const NOW_MS = Date.parse("2030-01-01T00:00:00Z");
const day = (n: number) => new Date(NOW_MS + n * 86_400_000).toISOString();
const CAP = { default: 86_400, max: 3 * 86_400 };
const LIMITS = { linkEntryTtl: CAP, selfEntryTtl: { ...CAP, max: 5 * 86_400 }, shortcutIdle: CAP };

const become: Become = (entry, { label, expiresAt: asked }) => {
  const expiresAt = endInPlace(entry, asked);
  const limits = LIMITS as unknown as Parameters<typeof mayEnd>[3];
  return mayEnd(entry, expiresAt, NOW_MS, limits) ? withFacts(entry, { label, expiresAt }) : undefined;
};

function stockOf(entries: readonly EntryView[]): ListStock {
  const stock = new ListStock();
  for (const view of entries) stock.put(view);
  return stock;
}

function viewOf(n: number, kind: EntryKind, label: string, expiresAt: string | undefined): EntryView {
  const id = `e${String(n).padStart(13, "0")}` as EntryId;
  const made = { id, cidr: CIDR, kind, label, createdBy: "key:k", createdAt: day(0) };
  return { revision: 1, entry: expiresAt === undefined ? made : { ...made, expiresAt } };
}

/** By the definition. */
function takeNaively(left: EntryView[], facts: Parameters<Become>[1]): EntryView | undefined {
  const fits = ({ entry }: EntryView) => become(entry, facts) !== undefined;
  const found =
    left.find((view) => sameFacts(view.entry, facts) && fits(view)) ??
    left.find((view) => view.entry.label === facts.label && fits(view)) ??
    left.find(fits);
  if (found !== undefined) left.splice(left.indexOf(found), 1);
  return found;
}

const label = fc.constantFrom("", "a", "b", "c");
const end = fc.constantFrom(...[2, 4, 6, 8].map(day));

t.test("the same is taken as by looking through all", (t) => {
  const made = fc.oneof(
    fc.tuple(fc.constant<EntryKind>("static"), label, fc.option(end, { nil: undefined })),
    fc.tuple(fc.constantFrom<EntryKind>("link", "self", "shortcut", "dns"), label, end),
  );
  const wanted = fc.record({ label, expiresAt: fc.option(end, { nil: undefined }) });
  fc.assert(
    fc.property(fc.array(made, { maxLength: 40 }), fc.array(wanted, { maxLength: 40 }), (entries, asked) => {
      const left = entries.map(([kind, label, expiresAt], n) => viewOf(n, kind, label, expiresAt));
      const stock = stockOf(left);
      for (const { label, expiresAt } of asked) {
        const facts = { cidr: CIDR, label, broad: false, ...(expiresAt === undefined ? {} : { expiresAt }) };
        const taken = stock.take(facts, become);
        if (taken?.before !== takeNaively(left, facts)) return false;
      }
      return stock.left.length === left.length && stock.left.every((view, n) => view === left[n]);
    }),
    { numRuns: 2_000 },
  );
  t.end();
});

t.test("what one costs does not grow with how many share a CIDR", (t) => {
  const count = 5_000;
  for (const kind of ["static", "link"] as const) {
    const stock = stockOf(Array.from({ length: count }, (_, n) => viewOf(n, kind, `old ${n}`, day(2))));
    let asked = 0;
    const counting = (entry: AllowlistEntry, facts: Parameters<Become>[1]) => {
      asked += 1;
      return become(entry, facts);
    };
    const facts = { cidr: CIDR, broad: false, expiresAt: day(9) };
    for (let n = 0; n < count; n += 1) stock.take({ ...facts, label: `new ${n}` }, counting);
    t.ok(asked <= 15 * count, `${kind}: ${asked}`);
    t.equal(stock.left.length, kind === "static" ? 0 : count);
  }
  t.end();
});
