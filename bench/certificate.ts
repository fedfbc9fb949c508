/** A certificate for the bench's host, made anew, in the two files that every contestant understands. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { HOST } from "./job.ts";

export interface CertificateFiles {
  readonly cert: string;
  /** `{cert}.key`, which is where HAProxy looks for it. */
  readonly key: string;
}

/** P-256, as certificates mostly are now. @throws when openssl is absent */
export function makeCertificate(folder: string): CertificateFiles {
  const cert = join(folder, "cert.pem");
  const key = `${cert}.key`;
  const subject = ["-subj", `/CN=${HOST}`, "-addext", `subjectAltName=DNS:${HOST}`];
  const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  execFileSync("openssl", ["req", ...kind, ...subject, "-keyout", key, "-out", cert], { stdio: "ignore" });
  return { cert, key };
}
