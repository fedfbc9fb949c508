/** Whether the certificates and keys that a configuration names can serve: readable, matching, in force. */
import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Config, TlsFiles } from "../config.ts";
import type { Issue } from "../core/errors.ts";

const SOON_DAYS = 14;
const DAY_MS = 86_400_000;

export interface TlsFinding {
  readonly severity: "error" | "warning";
  readonly issue: Issue;
}

/** Every certificate of the configuration with the key path that names it. */
export function tlsFilesOf(config: Config): { at: string; files: TlsFiles }[] {
  const edge = config.edge.listen.flatMap(({ tls = [] }, listener) =>
    tls.map((files, index) => ({ at: `edge.listen[${listener}].tls[${index}]`, files })),
  );
  return config.admin.tls === undefined ? edge : [...edge, { at: "admin.tls", files: config.admin.tls }];
}

export function checkTlsFiles(config: Config, nowMs: number): TlsFinding[] {
  return tlsFilesOf(config).flatMap(({ at, files }) => checkPair(at, files, nowMs));
}

function checkPair(at: string, files: TlsFiles, nowMs: number): TlsFinding[] {
  const error = (message: string, hint?: string): TlsFinding[] => [
    { severity: "error", issue: { at, message, ...(hint !== undefined && { hint }) } },
  ];
  const certificate = attempt(() => new X509Certificate(readFileSync(files.cert)));
  if (certificate === undefined) return error(`${files.cert} is not a readable PEM certificate`);
  const key = attempt(() => createPrivateKey(readFileSync(files.key)));
  if (key === undefined) return error(`${files.key} is not a readable PEM private key`);
  if (!certificate.checkPrivateKey(key)) return error(`${files.key} is not the key of ${files.cert}`);
  if (nowMs < certificate.validFromDate.getTime())
    return error(`${files.cert} is not valid before ${certificate.validFrom}`);
  const leftMs = certificate.validToDate.getTime() - nowMs;
  if (leftMs <= 0) return error(`${files.cert} expired on ${certificate.validTo}`, "renew it");
  if (leftMs > SOON_DAYS * DAY_MS) return [];
  return [
    {
      severity: "warning",
      issue: { at, message: `${files.cert} expires on ${certificate.validTo}`, hint: "renew it" },
    },
  ];
}

/** Changes whenever the content of one of the files does. */
export function digestFiles(paths: readonly string[]): string {
  const hash = createHash("sha256");
  for (const path of paths)
    hash
      .update(`${path}\0`)
      .update(attempt(() => readFileSync(path)) ?? "")
      .update("\0");
  return hash.digest("base64");
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
