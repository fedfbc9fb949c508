/** Reads request bodies: strict UTF-8, strict JSON, and a digest by which a repeated request is recognised. */
import { createHash } from "node:crypto";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { SallyportError } from "../core/errors.ts";

const digests = new WeakMap<FastifyRequest, string>();
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** JSON everywhere; a DELETE with a content type and no body is common and harmless. */
export function readJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    ["application/json", "application/merge-patch+json"],
    { parseAs: "buffer" },
    async (request: FastifyRequest, body: Buffer) => {
      const text = decode(request, body);
      return text === "" ? undefined : parseJson(text);
    },
  );
}

/** Lists of entries, on routes of this scope alone. */
export function readTextBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    ["text/csv", "text/plain"],
    { parseAs: "buffer" },
    async (request: FastifyRequest, body: Buffer) => decode(request, body),
  );
}

/** SHA-256 of the body's bytes, base64url. */
export function bodyDigest(request: FastifyRequest): string {
  return digests.get(request) ?? "";
}

function decode(request: FastifyRequest, body: Buffer): string {
  digests.set(request, createHash("sha256").update(body).digest("base64url"));
  try {
    return utf8.decode(body);
  } catch {
    throw new SallyportError("request_malformed", "the body is not UTF-8");
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new SallyportError("request_malformed", "the body is not JSON");
  }
}
