/** The log: JSON lines on standard output, written aside, with everything secret taken out. */
import { type DestinationStream, destination, type Logger, pino, stdSerializers } from "pino";
import { redactUrl } from "./redact-url.ts";

const HIDDEN = "[hidden]";

/** Field names that never show their value, wherever in the first levels they stand. */
const SECRET_FIELDS = [
  "authorization",
  "cookie",
  "set-cookie",
  "password",
  "secret",
  "token",
  "adminKey",
  "secretKey",
  "sallyport-assertion",
].flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`, `*.*.*["${name}"]`]);

/**
 * A logger that does not hold its caller up: lines are gathered and written asynchronously. What is still
 * gathered when the process ends in an orderly way is written then.
 * @param bindings fields of every line, such as `{ process: "control" }`
 * @param stream where to write instead of standard output
 */
export function createLog(level: string, bindings: object, stream?: DestinationStream): Logger {
  const options = {
    level,
    base: bindings,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: SECRET_FIELDS, censor: HIDDEN },
    serializers: {
      err: stdSerializers.errWithCause,
      req: serializeRequest,
      url: redactUrl,
      path: redactUrl,
      target: redactUrl,
    },
  };
  return pino(options, stream ?? destination({ dest: 1, sync: false, minLength: 0 }));
}

/** Of a request no header at all: what an address, a method and a redacted URL do not tell belongs in the audit log. */
function serializeRequest(request: { id?: unknown; method?: unknown; url?: unknown; ip?: unknown }) {
  return { id: request.id, method: request.method, url: redactUrl(request.url), address: request.ip };
}
