/** Requests for our own pages: their bodies are small, and read whole before control hears of them. */
import type { Order } from "./forward-order.ts";
import type { RequestHead } from "./request-head.ts";

/** More than any form of ours. */
export const PAGE_BODY_BYTES = 64 * 1024;
const NO_BODY = Buffer.alloc(0);

/**
 * Reads the whole body, so that a slow one occupies nobody but its own connection.
 * @param done called once, unless the client goes before: with the body (empty when there is none), or with
 * `undefined` as soon as it is seen to be too large
 */
export function readPageBody(
  { req: { body = NO_BODY }, node }: Pick<Order, "req" | "node">,
  head: RequestHead,
  done: (body: Buffer | undefined) => void,
): void {
  if (head.contentLength > PAGE_BODY_BYTES) {
    done(undefined);
    return;
  }
  if (node === undefined || !head.hasBody) {
    done(body);
    return;
  }
  const { req, res } = node;
  if (head.expectsContinue) res.writeContinue();
  const chunks: Buffer[] = [];
  let length = 0;
  req.on("data", (chunk: Buffer) => {
    length += chunk.length;
    if (length <= PAGE_BODY_BYTES) chunks.push(chunk);
    else finish(undefined);
  });
  req.on("end", () => finish(Buffer.concat(chunks)));
  let finished = false;
  function finish(body: Buffer | undefined): void {
    if (finished) return;
    finished = true;
    done(body);
  }
}
