/** The configuration file as read: its values, and where each of them stands. */
import { readFileSync } from "node:fs";
import { isMap, isPair, isScalar, isSeq, LineCounter, type Node, type ParsedNode, parseDocument } from "yaml";
import { type Issue, SallyportError } from "../core/errors.ts";

export type KeyPath = readonly (string | number)[];

export interface Source {
  /** The document's value; `{}` for an empty file. */
  readonly value: unknown;
  /** `file:line:column` of the value at `path` (of its key, for one in a map), or of the nearest parent that is there. */
  locate(path: KeyPath): string;
}

/** What stands where there is no file. */
export const NO_SOURCE: Source = { value: {}, locate: () => "" };

/** @throws SallyportError `config_invalid` with every syntax error and its place. */
export function readSource(file: string): Source {
  const lines = new LineCounter();
  const document = parseDocument(readText(file), { lineCounter: lines, prettyErrors: false });
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) {
    const issues: Issue[] = faults.map((fault) => ({ at: place(fault.pos[0]), message: fault.message }));
    throw new SallyportError("config_invalid", `${file} is not valid YAML`, { issues });
  }
  const root = document.contents;
  return { value: document.toJS() ?? {}, locate: (path) => place(offsetOf(root, path)) };
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const reason = cause instanceof Error && "code" in cause ? String(cause.code) : "unreadable";
    const issues: Issue[] = [
      { at: file, message: `cannot be read (${reason})`, hint: "name another file with --config or SALLYPORT_CONFIG" },
    ];
    throw new SallyportError("config_invalid", "the configuration file cannot be read", { cause, issues });
  }
}

function offsetOf(root: ParsedNode | null, path: KeyPath): number {
  let node: Node | null | undefined = root;
  let offset = root?.range[0] ?? 0;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === step);
      if (pair === undefined) return offset;
      offset = startOf(pair.key) ?? offset;
      node = pair.value as Node | null;
    } else if (isSeq(node)) {
      node = node.items[Number(step)] as Node | undefined;
      offset = startOf(node) ?? offset;
    }
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}
