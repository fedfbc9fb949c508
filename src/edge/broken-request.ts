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

/** Refuses bytes that are no request, as {@link refuseTheRest} does. @returns how, unless it was done or came too late */
export function answerBrokenRequest(error: ParserError, socket: Socket): RefusalCode | undefined {
  const connection = Connection.of(socket);
  // Who ends amidst a request has gone, and the answer under way with them, as for Node's server after a whole one.
  if (connection?.answer !== undefined && socket.readableEnded) socket.end();
  if (connection?.broken !== undefined) return undefined;
  if (connection === undefined || !socket.writable) {
    socket.destroy();
    return undefined;
  }
  const code = codeOf(error);
  refuseTheRest(connection, code);
  return code;
}

/**
 * Ends a connection on which nothing that still comes means anything: with a refusal behind the answers to whatever
 * was whole before. Where the answer to the broken request itself has begun, that one breaks off.
 */
export function refuseTheRest(connection: Connection, code: RefusalCode): void {
  connection.broken = code;
  const { socket, answer, receiving, pipelined } = connection;
  // Where the body's request was answered before the body broke, a refusal would be a second answer to it.
  if (answer === undefined && receiving?.complete === false) socket.destroySoon();
  else if (answer === undefined) endWith(socket, rawRefusal(code), true);
  else if (receiving?.complete !== false || pipelined.length > 0) return;
  else if (answer.headersSent) socket.destroy();
  else endWith(socket, rawRefusal(code), false);
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
