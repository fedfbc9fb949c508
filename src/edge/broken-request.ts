/** What a client gets whose bytes are not HTTP as we speak it, or do not come. */
import type { Socket } from "node:net";
import { Connection } from "./connection.ts";
import type { RefusalCode } from "./refusals.ts";
import { rawRefusal } from "./refuse.ts";

/** How long more bytes are read and dropped after the answer: closing at once could destroy the answer on its way. */
const LINGER_MS = 500;

/** An error of Node's HTTP parser. */
interface ParserError extends Error {
  readonly code?: string;
  readonly bytesParsed?: number;
  /** The bytes among which the error was. */
  readonly rawPacket?: Buffer;
}

/**
 * Answers and ends a connection whose framing is lost. While an earlier answer is on its way there is no place
 * for another, so then the connection is only destroyed.
 * @returns what was answered, if anything was
 */
export function answerBrokenRequest(error: ParserError, socket: Socket): RefusalCode | undefined {
  const connection = Connection.of(socket);
  if (connection?.failed === true) return undefined;
  if (
    connection === undefined ||
    !socket.writable ||
    connection.answers > 1 ||
    connection.latest?.headersSent === true
  ) {
    socket.destroy();
    return undefined;
  }
  connection.failed = true;
  const code = codeOf(error);
  endWith(socket, rawRefusal(code), connection.answers === 0);
  return code;
}

/** Writes the last bytes of a connection. @param lingers whether to drop what still comes in for a while before it closes */
export function endWith(socket: Socket, bytes: string, lingers: boolean): void {
  socket.write(bytes, "latin1");
  if (!lingers) {
    socket.destroySoon();
    return;
  }
  socket.end();
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once("close", () => clearTimeout(timer));
}

function codeOf({ code, rawPacket, bytesParsed }: ParserError): RefusalCode {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return "request_timeout";
  if (code !== "HPE_HEADER_OVERFLOW") return "request_invalid";
  const line = rawPacket?.subarray(0, bytesParsed).toString("latin1") ?? "";
  return /^[A-Z-]+ +[^\r\n]*$/.test(line) ? "target_too_long" : "header_fields_too_large";
}
