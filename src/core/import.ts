/** Reads a list of allowlist entries from text: one CIDR a line, or CSV with a header. All or nothing, errors by line. */
import { withoutBlanks } from "./blanks.ts";
import { nextTurn } from "./change.ts";
import { type EntryFacts, type EntryInput, readEntryInput } from "./entry-input.ts";
import { type Issue, SallyportError } from "./errors.ts";

export type ImportFormat = "text/csv" | "text/plain";

const SLICE = 500;
const MAX_ISSUES = 100;
const COLUMNS = ["cidr", "label", "expiresAt"] as const;

/** One entry as the text has it, or why a line is not one. */
type Row = { readonly line: number; readonly input: EntryInput } | { readonly line: number; readonly refused: string };

/**
 * Plain text: a CIDR a line, then, after white space or a comma, an optional label; `#` starts a comment line.
 * CSV (RFC 4180): a header with `cidr` and, in any order, `label` and `expiresAt`. Lines end in LF or CRLF; a
 * byte order mark at the very start, as spreadsheets write it, is passed over, and anywhere else refused.
 *
 * Lets the event loop turn every few hundred lines.
 * @throws SallyportError `import_invalid` with the first 100 issues, each at `line {n}`, and the count of all
 */
export async function parseImport(
  text: string,
  format: ImportFormat,
  nowMs: number,
  allowBroad: boolean,
): Promise<EntryFacts[]> {
  const body = text.startsWith("\uFEFF") ? text.slice(1) : text;
  const rows = format === "text/csv" ? csvRows(body) : plainRows(body);
  const facts: EntryFacts[] = [];
  const issues: Issue[] = [];
  let passed = 0;
  let count = 0;
  let wrong = 0;
  for (const row of rows) {
    if (++passed % SLICE === 0) await nextTurn();
    if (row === undefined) continue;
    count++;
    const result = readRow(row, nowMs, allowBroad);
    if (!("refused" in result)) facts.push(result);
    else if (++wrong <= MAX_ISSUES) issues.push(result.refused);
  }
  if (wrong > 0) throw invalid(`${wrong} of ${count} lines are refused; nothing was imported`, issues);
  if (facts.length === 0) throw invalid("there is no entry in it", []);
  return facts;
}

function readRow(row: Row, nowMs: number, allowBroad: boolean): EntryFacts | { refused: Issue } {
  const at = `line ${row.line}`;
  if ("refused" in row) return { refused: { at, message: row.refused } };
  try {
    return readEntryInput(row.input, nowMs, allowBroad);
  } catch (error) {
    if (!(error instanceof SallyportError)) throw error;
    const hint = error.code === "broad_prefix" ? "narrow it, or ask with allowBroad=true" : error.issues[0]?.hint;
    return { refused: { at, message: error.message, ...(hint === undefined ? {} : { hint }) } };
  }
}

/** `undefined` for lines that say nothing. */
function* plainRows(text: string): Generator<Row | undefined> {
  let number = 0;
  for (const raw of lines(text)) {
    number++;
    const line = withoutBlanks(raw);
    if (line === "" || line.startsWith("#")) {
      yield undefined;
      continue;
    }
    const cidr = /^[^ \t,]*/.exec(line)?.[0] ?? "";
    const label = line.slice(cidr.length).replace(/^[ \t]*,?[ \t]*/, "");
    yield cidr === "" ? { line: number, refused: "has no CIDR" } : { line: number, input: { cidr, label } };
  }
}

function* csvRows(text: string): Generator<Row | undefined> {
  let columns: readonly string[] | undefined;
  for (const record of csvRecords(text)) {
    if (record === undefined) yield undefined;
    else if (columns !== undefined) yield csvRow(record, columns);
    else {
      columns = columnsOf(record);
      if (columns === undefined) break;
    }
  }
  if (columns === undefined) yield { line: 1, refused: "must be a header with cidr, and maybe label and expiresAt" };
}

function columnsOf({ fields }: CsvRecord): readonly string[] | undefined {
  const columns = fields?.map((name) => name.trim()) ?? [];
  const known = columns.every((name) => (COLUMNS as readonly string[]).includes(name));
  return columns.includes("cidr") && known && new Set(columns).size === columns.length ? columns : undefined;
}

function csvRow({ line, fields }: CsvRecord, columns: readonly string[]): Row {
  if (fields === undefined) return { line, refused: "is too long, or has a quote that is not as RFC 4180 has it" };
  if (fields.length !== columns.length)
    return { line, refused: `has ${fields.length} fields, the header has ${columns.length}` };
  const value = (name: string) => fields[columns.indexOf(name)] ?? "";
  const expiresAt = value("expiresAt");
  const input = { cidr: value("cidr"), label: unguard(value("label")) };
  return { line, input: expiresAt === "" ? input : { ...input, expiresAt } };
}

/** Bounded, so that no text makes a single step of the reading long. */
const FIELD = /(?:"((?:[^"]|""){0,4000})"|([^",\r\n]{0,4000}))(,|\r\n|\n|$)/y;
const MOST_FIELDS = 100;

/** `fields` is undefined where the quoting is broken; reading goes on at the next line. */
interface CsvRecord {
  readonly line: number;
  readonly fields: readonly string[] | undefined;
}

/** `undefined` for empty lines. */
function* csvRecords(text: string): Generator<CsvRecord | undefined> {
  let at = 0;
  let line = 1;
  while (at < text.length) {
    const first = line;
    const start = at;
    let fields: string[] | undefined = [];
    for (let end = ","; end === ","; ) {
      FIELD.lastIndex = at;
      const match = fields.length < MOST_FIELDS ? FIELD.exec(text) : null;
      if (match === null) {
        const next = text.indexOf("\n", at);
        at = next < 0 ? text.length : next + 1;
        line++;
        fields = undefined;
        break;
      }
      at = FIELD.lastIndex;
      end = match[3] ?? "";
      line += match[0].split("\n").length - 1;
      fields.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? "");
    }
    yield text.slice(start, at).trim() === "" ? undefined : { line: first, fields };
  }
}

function* lines(text: string): Generator<string> {
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf("\n", at);
    const stop = end < 0 ? text.length : end;
    yield text.slice(at, text[stop - 1] === "\r" ? stop - 1 : stop);
    at = stop + 1;
  }
}

/** One CSV line. What a spreadsheet would take for a formula gets an apostrophe, which {@link parseImport} takes away. */
export function formatCsvLine({
  cidr,
  label,
  expiresAt,
}: {
  readonly cidr: string;
  readonly label: string;
  readonly expiresAt?: string;
}): string {
  return `${cidr},"${guard(label).replaceAll('"', '""')}",${expiresAt ?? ""}\r\n`;
}

export const CSV_HEADER = `${COLUMNS.join(",")}\r\n`;

function guard(label: string): string {
  return /^'*[=+\-@]/.test(label) ? `'${label}` : label;
}

function unguard(label: string): string {
  return /^'+[=+\-@]/.test(label) ? label.slice(1) : label;
}

function invalid(message: string, issues: readonly Issue[]): SallyportError {
  return new SallyportError("import_invalid", message, { issues });
}
