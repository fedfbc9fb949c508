/** A local server that speaks as much of Twilio's HTTP API as is used: Messages (2010-04-01) and Verify v2. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { Test } from "tap";

export const ACCOUNT_SID = `AC${"0".repeat(32)}`;
export const SERVICE_SID = `VA${"0".repeat(32)}`;
export const AUTH_TOKEN = "local-token";

/** How the next request is answered: an error, or nothing in time. */
export type TwilioFault =
  | { readonly status: number; readonly code?: number }
  | "hang"
  | "slow-body"
  | "reset"
  | "not-json";

export interface TwilioServer {
  readonly baseUrl: string;
  /** The forms received, in order, whatever was answered. */
  readonly requests: { readonly path: string; readonly form: URLSearchParams }[];
  /** Taken from the front, one per request. */
  readonly faults: TwilioFault[];
  /** Verify's code for every number. */
  readonly code: string;
}

export async function startTwilio(t: Test): Promise<TwilioServer> {
  const state: Omit<TwilioServer, "baseUrl"> = { requests: [], faults: [], code: "424242" };
  const server = createServer((request, response) => {
    answer(request, response, state).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { ...state, baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

type State = Omit<TwilioServer, "baseUrl">;
interface Reply {
  readonly status: number;
  readonly body: unknown;
}

async function answer(request: IncomingMessage, response: ServerResponse, state: State): Promise<void> {
  const path = request.url ?? "";
  const form = new URLSearchParams(await text(request));
  state.requests.push({ path, form });
  const fault = state.faults.shift();
  if (typeof fault === "string") misbehave(response, fault);
  else
    send(response, fault === undefined ? serve(request, form, state) : error(fault.status, fault.code ?? fault.status));
}

function serve(request: IncomingMessage, form: URLSearchParams, state: State): Reply {
  const expected = `Basic ${Buffer.from(`${ACCOUNT_SID}:${AUTH_TOKEN}`).toString("base64")}`;
  if (request.headers.authorization !== expected) return error(401, 20003);
  switch (request.url) {
    case `/2010-04-01/Accounts/${ACCOUNT_SID}/Messages.json`:
      return createMessage(form);
    case `/v2/Services/${SERVICE_SID}/Verifications`:
      return startVerification(form);
    case `/v2/Services/${SERVICE_SID}/VerificationCheck`:
      return checkVerification(form, state);
    default:
      return error(404, 20404);
  }
}

function createMessage(form: URLSearchParams): Reply {
  if (!form.has("From") && !form.has("MessagingServiceSid")) return error(400, 21603);
  if (!form.get("Body")) return error(400, 21602);
  return { status: 201, body: { sid: `SM${"1".repeat(32)}`, status: "queued", to: form.get("To") } };
}

const VERIFICATION_SID = `VE${"2".repeat(32)}`;

function startVerification(form: URLSearchParams): Reply {
  if (form.get("Channel") !== "sms") return error(400, 60200);
  return { status: 201, body: { sid: VERIFICATION_SID, status: "pending", to: form.get("To") } };
}

function checkVerification(form: URLSearchParams, { code }: State): Reply {
  if (form.get("VerificationSid") !== VERIFICATION_SID) return error(404, 20404);
  const approved = form.get("Code") === code;
  return { status: 201, body: { sid: VERIFICATION_SID, status: approved ? "approved" : "pending", valid: approved } };
}

/** Twilio's messages repeat the number, which is why none of them may reach a log. */
function error(status: number, code: number): Reply {
  const message = "The 'To' number +447700900123 is not valid.";
  return { status, body: { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status } };
}

function send(response: ServerResponse, { status, body }: Reply): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function misbehave(response: ServerResponse, fault: Extract<TwilioFault, string>): void {
  if (fault === "reset") response.destroy();
  if (fault === "not-json") response.writeHead(502, { "content-type": "text/html" }).end("<h1>Bad gateway</h1>");
  if (fault === "slow-body") drip(response);
}

/** A byte now and then keeps a time-out for silence from ever firing. */
function drip(response: ServerResponse): void {
  response.writeHead(201, { "content-type": "application/json" });
  const timer = setInterval(() => response.write(" "), 20);
  response.on("close", () => clearInterval(timer));
}
