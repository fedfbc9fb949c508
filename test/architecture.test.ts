/** The arrows between the rooms, and the habits that keep files readable, read from the imports themselves. */
import { globSync, readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import t from "tap";

const SRC = fileURLToPath(new URL("../src/", import.meta.url));
/** Where a file asks to be divided; a little more is let pass. */
const LONGEST_FILE = 320;

/** What each room may import of ours besides itself. `config` may give its types to all: they carry no code. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  schema: ["core"],
  look: ["core"],
  config: ["core", "schema", "notify"],
  store: ["core"],
  notify: ["core", "schema", "look"],
  observe: ["core"],
  replica: ["core"],
  person: ["core", "notify", "look"],
  whitelist: ["core", "notify", "observe"],
  edge: ["core", "replica", "observe", "look"],
  admin: ["core", "schema", "notify", "observe", "person", "whitelist"],
  pages: ["core", "observe", "look", "person", "replica", "whitelist"],
  control: ["core", "admin", "pages", "replica", "store", "notify", "observe", "person", "whitelist"],
  serve: ["core", "config", "control", "edge", "replica", "observe"],
  commands: ["core", "config", "serve", "store", "observe", "notify", "person", "whitelist", "control"],
  main: ["commands"],
};
const DRAWN = new Set(
  Object.entries(ARROWS).flatMap(([room, targets]) => targets.map((target) => `${room} → ${target}`)),
);
/** An edge may log and count by itself, though today it is handed what it needs for that. */
const UNUSED = ["edge → observe"];

/** The core decides; it speaks to nothing. */
const CORE_BUILTINS = ["node:net", "node:crypto"];

interface Import {
  readonly file: string;
  readonly from: string;
  readonly typeOnly: boolean;
}

const files = globSync("**/*.ts", { cwd: SRC }).map((file) => resolve(SRC, file));
const texts = new Map(files.map((file) => [file, readFileSync(file, "utf8")]));

function importsOf(file: string, text: string): Import[] {
  const statements = text.matchAll(/^(?:import|export)\s+(type\s)?[^;]*?from\s+"([^"]+)"|import\(\s*"([^"]+)"\s*\)/gms);
  return [...statements].map(([, type, still, dynamic]) => ({
    file,
    from: still ?? dynamic ?? "",
    typeOnly: type !== undefined,
  }));
}

/** `src/edge/gate.ts` → `edge`; `src/config.ts` → `config`. */
function roomOf(file: string): string {
  return relative(SRC, file).split("/")[0]?.replace(/\.ts$/, "") ?? "";
}

const imports = [...texts].flatMap(([file, text]) => importsOf(file, text));
const show = ({ file, from }: Import): string => `${relative(SRC, file)} imports ${from}`;

t.test("arrows between rooms run one way", async (t) => {
  t.ok(imports.length > 200, "imports were found");
  const wrong = imports.filter(({ file, from, typeOnly }) => {
    if (!from.startsWith(".")) return false;
    const [room, target] = [roomOf(file), roomOf(resolve(dirname(file), from))];
    if (room === target || (target === "config" && typeOnly)) return false;
    return !(ARROWS[room] ?? []).includes(target);
  });
  t.strictSame(wrong.map(show), []);
  t.strictSame(
    [...new Set(files.map(roomOf))].filter((room) => !(room in ARROWS)),
    [],
    "every room has its arrows",
  );
});

t.test("no arrow is there that nothing uses", async (t) => {
  const used = new Set(imports.map(({ file, from }) => `${roomOf(file)} → ${roomOf(resolve(dirname(file), from))}`));
  t.strictSame([...DRAWN.difference(used)], UNUSED);
});

t.test("CONTRIBUTING.md draws the same arrows", async (t) => {
  const text = readFileSync(resolve(SRC, "../CONTRIBUTING.md"), "utf8");
  const rows = [...text.matchAll(/^\| `(\w+)` \| [^|]+ \| ([^|]+) \|$/gm)];
  const told = rows.flatMap(([, room, cell = ""]) =>
    [...cell.matchAll(/`(\w+)`/g)].map(([, target]) => `${room} → ${target}`),
  );
  t.strictSame(new Set(rows.map(([, room]) => room)), new Set(Object.keys(ARROWS)), "every room");
  t.strictSame([...DRAWN.symmetricDifference(new Set(told))], []);
});

t.test("the core imports node:net and node:crypto, and nothing else", async (t) => {
  const wrong = imports.filter(
    ({ file, from }) => roomOf(file) === "core" && !from.startsWith(".") && !CORE_BUILTINS.includes(from),
  );
  t.strictSame(wrong.map(show), []);
});

t.test("an edge process loads no store, no admin API, no pages and no mail", async (t) => {
  const seen = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const { from, typeOnly } of importsOf(file, texts.get(file) ?? "")) {
      if (from.startsWith(".") && !typeOnly) visit(resolve(dirname(file), from));
    }
  };
  visit(resolve(SRC, "serve/edge-process.ts"));
  t.ok(seen.size > 20, "its files were followed");
  const rooms = [...new Set([...seen].map(roomOf))];
  t.strictSame(
    rooms.filter((room) => ["store", "admin", "pages", "notify", "person", "whitelist", "control"].includes(room)),
    [],
  );
});

t.test("every file says in its first line what it is for, and exports by name", async (t) => {
  const silent = [...texts].filter(([, text]) => !/^(#!.*\n)?\/\*\*/.test(text)).map(([file]) => relative(SRC, file));
  t.strictSame(silent, []);
  const defaults = [...texts].filter(([, text]) => /^export default/m.test(text)).map(([file]) => relative(SRC, file));
  t.strictSame(defaults, []);
});

t.test("no file is long, and none is a drawer for anything", async (t) => {
  const long = [...texts]
    .filter(([, text]) => text.split("\n").length > LONGEST_FILE)
    .map(([file]) => relative(SRC, file));
  t.strictSame(
    long.filter((file) => !file.startsWith("look/texts.")),
    [],
  );
  const drawers = files.filter((file) =>
    /(^|[/-])(utils?|helpers?|common|manager|misc)(\.|\/|-)/.test(relative(SRC, file)),
  );
  t.strictSame(
    drawers.map((file) => relative(SRC, file)),
    [],
  );
});
