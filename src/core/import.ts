/** Reads a list of allowlist entries from text: one CIDR a line, or CSV with a header. All or nothing, errors by line. */
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
  let count = 0;
  let wrong = 0;
  for (const row of rows) {
    if (++count % SLICE === 0) await nextTurn();
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

function* plainRows(text: string): Generator<Row> {
  let number = 0;
  for (const raw of lines(text)) {
    number++;
    const line = raw.replace(/^[ \t]+|[ \t]+$/g, "");
    if (line === "" || line.startsWith("#")) continue;
    const [, cidr = "", label = ""] = /^([^ \t,]*)[ \t]*,?[ \t]*(.*)$/u.exec(line) ?? [];
    yield cidr === "" ? { line: number, refused: "has no CIDR" } : { line: number, input: { cidr, label } };
  }
}

function* csvRows(text: string): Generator<Row> {
  const records = csvRecords(text);
  const header = records.next().value;
  const columns = header?.fields?.map((name) => name.trim()) ?? [];
  const known = columns.every((name) => (COLUMNS as readonly string[]).includes(name));
  if (!columns.includes("cidr") || !known || new Set(columns).size < columns.length) {
    yield { line: 1, refused: `must be a header with cidr, and maybe label and expiresAt` };
    return;
  }
  for (const { line, fields } of records) {
    if (fields === undefined) yield { line, refused: "has a quote that is not as RFC 4180 has it" };
    else if (fields.length !== columns.length)
      yield { line, refused: `has ${fields.length} fields, the header has ${columns.length}` };
    else {
      const value = (name: string) => fields[columns.indexOf(name)] ?? "";
      const expiresAt = value("expiresAt");
      const input = { cidr: value("cidr"), label: unguard(value("label")) };
      yield { line, input: expiresAt === "" ? input : { ...input, expiresAt } };
    }
  }
}

const FIELD = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|\n|$)/y;

/** `fields` is undefined where the quoting is broken; reading goes on at the next line. */
interface CsvRecord {
  readonly line: number;
  readonly fields: readonly string[] | undefined;
}

/** Empty lines are passed over. */
function* csvRecords(text: string): Generator<CsvRecord, undefined> {
  let at = 0;
  let line = 1;
  while (at < text.length) {
    const first = line;
    const start = at;
    let fields: string[] | undefined = [];
    for (let end = ","; end === ","; ) {
      FIELD.lastIndex = at;
      const match = FIELD.exec(text);
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
    if (text.slice(start, at).trim() !== "") yield { line: first, fields };
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
