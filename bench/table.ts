/** The human table of a workload's results, with the ratios that matter. */
import type { Summary } from "./measure.ts";
import { SIZES, type Workload } from "./workloads.ts";

const COLUMNS = ["contestant", "CPU µs/req", "±", "req/s", "p50 ms", "p99 ms", "p99.9 ms", "peak MiB"] as const;
/** Sallyport with both doors is put in relation to each of these. */
const PEERS = ["@fastify/http-proxy", "nginx geo + auth_request", "nginx geo", "Sallyport, forwarding only"] as const;
const OURS = "Sallyport, both doors";

export function printTable(workload: Workload, summaries: readonly Summary[]): void {
  const rows = summaries.map((one) => [
    one.contestant,
    one.cpuUs.toFixed(1),
    `${(one.spread * 100).toFixed(0)}%`,
    one.perSecond.toFixed(0),
    one.p50Ms.toFixed(2),
    one.p99Ms.toFixed(2),
    one.p999Ms.toFixed(2),
    one.peakMiB.toFixed(0),
  ]);
  const widths = COLUMNS.map((title, index) => Math.max(title.length, ...rows.map((row) => row[index]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => (index === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[index] ?? 0)))
      .join("  ");
  console.log(`\n${workload.name}\n${line(COLUMNS)}\n${rows.map(line).join("\n")}`);
  const ours = summaries.find((one) => one.contestant === OURS);
  if (ours === undefined) return;
  for (const name of PEERS) {
    const peer = summaries.find((one) => one.contestant === name);
    if (peer === undefined) continue;
    const ratio = (ours.cpuUs / peer.cpuUs).toFixed(2);
    console.log(`${OURS}: ${ratio} × the CPU of ${name}, ${(ours.p99Ms / peer.p99Ms).toFixed(2)} × its p99`);
  }
  for (const { contestant, cpuUs } of summaries.filter(({ contestant }) => SIZES.includes(contestant))) {
    console.log(`${contestant}: ${(cpuUs / ours.cpuUs).toFixed(2)} × the CPU of ten of each`);
  }
}

/** @param sorted in ascending order. @param share 0.5 is the median, 1 the largest */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
