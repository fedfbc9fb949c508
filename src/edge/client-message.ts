/** What the gate and the forwarder need of a client's request and its answer, be they Node's or plain ones. */
import type { IncomingMessage } from "node:http";

/** A request's head, and its body and those trailers that may pass where they were read with it. */
export type ClientRequest = Pick<
  IncomingMessage,
  "httpVersionMajor" | "httpVersionMinor" | "method" | "url" | "rawHeaders" | "headers"
> & { readonly body?: Buffer | undefined; readonly passedTrailers?: readonly [string, string][] | undefined };

export type Written = (error?: Error | null) => void;

/** An answer in the making; of each method as much as the edge uses of Node's `ServerResponse`, and alike. */
export interface ClientResponse {
  readonly statusCode: number;
  readonly headersSent: boolean;
  setHeader(name: "Connection", value: "close"): unknown;
  /** @param fields names and values in turn, or by name */
  writeHead(status: number, reason: string | undefined, fields: string[] | Record<string, string>): this;
  writeInformation(status: number, fields: string[]): void;
  /**
   * @param written the bytes are the caller's again: the kernel has them, or, with an error, the client will not get them
   * @returns false when the client is slower; then "drain" follows
   */
  write(bytes: Buffer, encoding: "latin1", written?: Written): boolean;
  /** Sends the head. `flushHeaders` of Node's takes it for UTF-8, which spoils every field that is not ASCII. */
  write(nothing: "", encoding: "latin1"): boolean;
  addTrailers(trailers: [string, string][]): void;
  end(): unknown;
  end(body: Buffer): unknown;
  end(body: string, encoding: "latin1"): unknown;
  /** Breaks the connection. */
  destroy(): unknown;
  /** @param event "close": the answer is with the client, or its connection is gone */
  on(event: "close" | "drain", listener: (this: ClientResponse) => void): unknown;
}
