/**
 * A small clinic application to put behind the gate. It has no login of its own: the gate says who is there.
 * `node examples/sample-clinic/main.ts [PORT] [ADDRESS] [GATE]`, by default 9000 and 127.0.0.1; prints where it
 * listens. GATE is an origin of the gate, whose keys prove who is signed in.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Reader, renderDay, renderPatient } from "./pages.ts";
import { APPOINTMENTS, patientOf } from "./patients.ts";
import { openWho } from "./who.ts";

const TICK_MS = 2_000;
const NAMES: Readonly<Record<string, string>> = {
  "brightsmiles.localhost": "Bright Smiles Dental",
  "lab.localhost": "Marigold Laboratory",
};
const [port = "9000", address = "127.0.0.1", gate] = process.argv.slice(2);
const whoOf = openWho(gate);

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url ?? "/", "http://clinic");
  const record = patientOf(/^\/patients\/([a-z-]+)$/.exec(pathname)?.[1] ?? "");
  const html = "text/html; charset=utf-8";
  if (request.method !== "GET" && request.method !== "HEAD")
    send(response, 405, "text/plain; charset=utf-8", "Method not allowed\n");
  else if (pathname === "/") send(response, 200, html, renderDay(await readerOf(request)));
  else if (pathname === "/waiting-room") waitingRoom(response);
  else if (pathname === "/appointments.csv") download(response);
  else if (record !== undefined) send(response, 200, html, renderPatient(await readerOf(request), record));
  else send(response, 404, "text/plain; charset=utf-8", "There is no such page\n");
});

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) });
  response.end(response.req.method === "HEAD" ? undefined : body);
}

/** What the gate vouches for: the only address that an upstream should believe, and the only person. */
async function readerOf(request: IncomingMessage): Promise<Reader> {
  const forwarded = request.headers["x-forwarded-for"];
  return {
    clinic: NAMES[request.headers.host ?? ""] ?? "Happy Feet Podiatry",
    address: typeof forwarded === "string" ? forwarded : "nowhere: this was opened without the gate",
    person: await whoOf(request),
  };
}

/** Server-sent events: who waits, every two seconds. Ends when the gate closes the door. */
function waitingRoom(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  let turn = 0;
  const tell = (): void => {
    const next = APPOINTMENTS[turn++ % APPOINTMENTS.length];
    response.write(
      `data: ${JSON.stringify({ time: new Date().toLocaleTimeString("en-GB"), next: next?.patient.name })}\n\n`,
    );
  };
  tell();
  const timer = setInterval(tell, TICK_MS);
  response.once("close", () => clearInterval(timer));
}

function download(response: ServerResponse): void {
  const rows = APPOINTMENTS.map(({ at, patient, reason }) => `${at},"${patient.name}","${reason}"`);
  response.setHeader("content-disposition", 'attachment; filename="appointments.csv"');
  send(response, 200, "text/csv; charset=utf-8", ["time,patient,reason", ...rows, ""].join("\r\n"));
}

server.listen(Number(port), address, () => {
  const { address, port } = server.address() as AddressInfo;
  process.stdout.write(`sample clinic at http://${address}:${port}\n`);
  process.send?.({ port });
});
process.once("disconnect", () => process.exit(0));
process.once("SIGTERM", () => process.exit(0));
