/** The certificates of one listener: read from their files, chosen by server name. */
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext, type SecureContext } from "node:tls";
import type { TlsFiles } from "../config/settings.ts";

interface Identity {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly context: SecureContext;
  serves(name: string): boolean;
}

export class Certificates {
  readonly #identities: readonly Identity[];

  private constructor(identities: readonly Identity[]) {
    this.#identities = identities;
  }

  /** @throws when a file cannot be read, is not PEM, or its key does not fit its certificate */
  static async load(files: readonly TlsFiles[]): Promise<Certificates> {
    return new Certificates(await readIdentities(files));
  }

  /** The certificate for clients that send no server name, or one that none is for: the first. */
  get standard(): { cert: Buffer; key: Buffer } {
    const [first] = this.#identities;
    if (first === undefined) throw new Error("a TLS listener has no certificate");
    return { cert: first.cert, key: first.key };
  }

  choose(name: string): SecureContext | undefined {
    return this.#identities.find((identity) => identity.serves(name.toLowerCase()))?.context;
  }
}

function readIdentities(files: readonly TlsFiles[]): Promise<Identity[]> {
  return Promise.all(
    files.map(async ({ cert: certPath, key: keyPath, hosts }) => {
      const [cert, key] = await Promise.all([readFile(certPath), readFile(keyPath)]);
      const context = createSecureContext({ cert, key, minVersion: "TLSv1.2" });
      const leaf = new X509Certificate(cert);
      const serves =
        hosts === undefined
          ? (name: string) => leaf.checkHost(name) !== undefined
          : (name: string) => hosts.some((host) => matches(host.toLowerCase(), name));
      return { cert, key, context, serves };
    }),
  );
}

/** `*.` stands for one label. */
function matches(pattern: string, name: string): boolean {
  return pattern.startsWith("*.") ? name.slice(name.indexOf(".")) === pattern.slice(1) : name === pattern;
}
