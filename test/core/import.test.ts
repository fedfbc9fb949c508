/** Reading lists of entries from text. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import t from "tap";
import { CSV_HEADER, formatCsvLine, parseImport } from "../../src/core/import.ts";

const NOW = Date.parse("2030-01-01T00:00:00Z");
const read = (text: string, csv = false) => parseImport(text, csv ? "text/csv" : "text/plain", NOW, false);

t.test("plain text", async (t) => {
  const text = "\uFEFF# our sites\r\n203.0.113.0/28 Main Street\r\n\r\n  2001:db8::/48,Harbour, old\n192.0.2.1\n";
  t.match(await read(text), [
    { cidr: "203.0.113.0/28", label: "Main Street" },
    { cidr: "2001:db8::/48", label: "Harbour, old" },
    { cidr: "192.0.2.1/32", label: "" },
  ]);
});

t.test("CSV: quotes, any order of columns, lines within quotes counted", async (t) => {
  const text = '\uFEFFlabel,cidr,expiresAt\r\n"a ""b"", c",192.0.2.1,\r\nd,192.0.2.2,2031-01-01T00:00:00Z\r\n';
  t.match(await read(text, true), [
    { cidr: "192.0.2.1/32", label: 'a "b", c' },
    { cidr: "192.0.2.2/32", label: "d", expiresAt: "2031-01-01T00:00:00.000Z" },
  ]);
  const lines = await read('cidr,label\n192.0.2.1,"two\nlines"\n192.0.2.999,x\n', true).catch(
    (error: unknown) => error,
  );
  t.match(lines, { issues: [{ at: "line 2" }, { at: "line 4" }] });
});

t.test("all that is wrong is named by line, the first hundred", async (t) => {
  await t.rejects(read("192.0.2.1\n192.0.2.256\n0.0.0.0/0\n192.0.2.2\n"), {
    code: "import_invalid",
    message: /^2 of 4 lines/,
    issues: [{ at: "line 2" }, { at: "line 3", hint: /allowBroad/ }],
  });
  const all = await read("x\n".repeat(300)).then(
    () => undefined,
    (error) => error,
  );
  t.match(all, { message: /^300 of 300/ });
  t.equal(all.issues.length, 100);
});

for (const [name, text] of [
  ["no header", "192.0.2.1,x\n"],
  ["an unknown column", "cidr,colour\n192.0.2.1,red\n"],
  ["a column twice", "cidr,cidr\n192.0.2.1,192.0.2.2\n"],
  ["too many fields", "cidr\n192.0.2.1,x\n"],
  ["a stray quote", 'cidr,label\n192.0.2.1,a"b\n'],
  ["an open quote", 'cidr,label\n192.0.2.1,"ab\n'],
  ["nothing", ""],
  ["only a header", "cidr,label\n"],
] as const) {
  t.test(
    `CSV with ${name} is refused`,
    async (t) => void (await t.rejects(read(text, true), { code: "import_invalid" })),
  );
}

t.test("what is exported is imported as it was, and is no formula to a spreadsheet", async (t) => {
  const labels = ['=HYPERLINK("http://evil")', "+1", "-1", "@x", "'=1", "''@", 'plain, with "quotes"', "'tis"];
  const entries = labels.map((label, n) => ({ cidr: `192.0.2.${n}/32`, label }));
  const csv = CSV_HEADER + entries.map(formatCsvLine).join("");
  t.notMatch(csv, /,"?[=+@-]/);
  t.match(await read(csv, true), entries);
});

t.test("100,000 lines do not hold the process up", async (t) => {
  const text = Array.from({ length: 100_000 }, (_, n) => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255} site ${n}`).join(
    "\n",
  );
  let turns = 0;
  let reading = true;
  const turn = () => {
    turns++;
    if (reading) setImmediate(turn);
  };
  setImmediate(turn);
  t.equal((await read(text)).length, 100_000);
  reading = false;
  t.ok(turns >= 190, `others had ${turns} turns, one for each 500 lines`);
});

t.test("no text makes a step of the reading long", async (t) => {
  const many = 1_000_000;
  const hostile: readonly (readonly [text: string, csv: boolean])[] = [
    [`x${" ".repeat(many)}y`, false],
    [`x${" ".repeat(many)}\u2028`, false],
    ["\n".repeat(many), false],
    ["#\n".repeat(many), false],
    [`cidr\n${"\n".repeat(many)}`, true],
    [`cidr\n${",".repeat(many)}`, true],
    [`cidr\n"${"a".repeat(many)}`, true],
    [`cidr\n${"a".repeat(many)}`, true],
    [`cidr\n${'"'.repeat(many)}`, true],
  ];
  for (const [text, csv] of hostile) {
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    await t.rejects(read(text, csv), { code: "import_invalid" }, JSON.stringify(text.slice(0, 10)));
    delay.disable();
    t.ok(delay.max < 1e9, `${JSON.stringify(text.slice(0, 10))}: ${Math.round(delay.max / 1e6)} ms`);
  }
});
