/**
 * Which processors the parts of a node run on. Where there are more of them than edges, each edge has one of its own
 * and control has the others: an edge that waits while control answers a sign-in is felt by everybody. Linux only.
 */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { crc32 } from "node:zlib";
import type { Config } from "../config.ts";

/** Where a process runs. */
export interface Place {
  readonly processors: readonly number[];
  /** Also its helper threads, such as those that collect garbage; else they run anywhere, and its main thread there. */
  readonly wholly: boolean;
}

export interface Places {
  readonly control: Place;
  readonly edges: readonly Place[];
}

/** @returns `undefined` where nobody is to be bound, or no processor is to spare */
export function placesFor({ edge, dataDir }: Config): Places | undefined {
  if (edge.cpuAffinity === "off") return undefined;
  return placesOn(allowedProcessors(), edge.workers, crc32(`${hostname()} ${dataDir}`));
}

/** @param seed by which nodes that share a machine do not all take the same processors for their edges */
export function placesOn(processors: readonly number[], edges: number, seed: number): Places | undefined {
  if (edges === 0 || edges >= processors.length) return undefined;
  const first = seed % processors.length;
  const turned = [...processors.slice(first), ...processors.slice(0, first)];
  return {
    edges: turned.slice(0, edges).map((one) => ({ processors: [one], wholly: false })),
    control: { processors: turned.slice(edges), wholly: true },
  };
}

/** By util-linux' `taskset`; without it, or where it may not, the process runs anywhere, as before. */
export function bindTo({ processors, wholly }: Place, pid: number): void {
  execFile("taskset", [...(wholly ? ["-a"] : []), "-c", "-p", processors.join(","), `${pid}`], () => {});
}

/** Those that a process may use: a container may have some of the machine's. None where that is not known. */
export function allowedProcessors(pid: number | "self" = "self"): number[] {
  try {
    return readList(/^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "");
  } catch {
    return [];
  }
}

/** As the kernel writes sets of processors: `0-2,5`. */
export function readList(text: string): number[] {
  const ranges = text.matchAll(/(\d+)(?:-(\d+))?/g);
  return [...ranges].flatMap(([, from = "0", to = from]) =>
    Array.from({ length: Number(to) - Number(from) + 1 }, (_, index) => Number(from) + index),
  );
}
