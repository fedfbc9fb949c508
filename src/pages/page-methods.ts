/** Which methods each page takes, for the answer to whoever asks with another. */
import type { FastifyInstance } from "fastify";

export class PageMethods {
  readonly #byPath = new Map<string, Set<string>>();

  /** Hears of the routes that the server gets from now on. */
  constructor(server: FastifyInstance) {
    server.addHook("onRoute", ({ url, method }) => {
      const methods = this.#byPath.get(url) ?? new Set();
      for (const one of [method].flat()) methods.add(one);
      this.#byPath.set(url, methods);
    });
  }

  /** The value of `Allow` (RFC 9110, 10.2.1); `undefined` where there is no page. */
  allowOf(path: string): string | undefined {
    const methods = this.#byPath.get(path) ?? this.#byPath.get(path.replace(/[^/]+$/, ":token"));
    return methods && [...methods].join(", ");
  }
}
