/** A self-signed certificate made for one test, by openssl. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Test } from "tap";
import { program } from "./programs.ts";

export interface Certificate {
  readonly cert: string;
  readonly key: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** @param names as in `DNS:clinic.example` or `IP:127.0.0.1`. `undefined` when there is no openssl (the test is then skipped). */
export function selfSigned(t: Test, names: readonly string[]): Certificate | undefined {
  const openssl = program(t, "openssl");
  if (openssl === undefined) return undefined;
  const folder = t.testdir();
  const [certFile, keyFile] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  const request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  const subject = ["-subj", "/CN=test", "-addext", `subjectAltName=${names.join(",")}`];
  execFileSync(openssl, [...request, ...subject, "-keyout", keyFile, "-out", certFile], { stdio: "pipe" });
  return { cert: readFileSync(certFile, "utf8"), key: readFileSync(keyFile, "utf8"), certFile, keyFile };
}
