/**
 * A small clinic application to put behind the gate. It knows nothing of Sallyport: no login, no library.
 * `node examples/sample-clinic/main.ts [port]`, port 9000 by default; prints where it listens.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { renderDay, renderPatient } from "./pages.ts";
import { APPOINTMENTS, patientOf } from "./patients.ts";

const TICK_MS = 2_000;

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url ?? "/", "http://clinic");
  const record = patientOf(/^\/patients\/([a-z-]+)$/.exec(pathname)?.[1] ?? "");
  if (request.method !== "GET" && request.method !== "HEAD")
    send(response, 405, "text/plain; charset=utf-8", "Method not allowed\n");
  else if (pathname === "/") send(response, 200, "text/html; charset=utf-8", renderDay(seenFrom(request)));
  else if (pathname === "/waiting-room") waitingRoom(response);
  else if (pathname === "/appointments.csv") download(response);
  else if (record !== undefined) send(response, 200, "text/html; charset=utf-8", renderPatient(record));
  else send(response, 404, "text/plain; charset=utf-8", "There is no such page\n");
});

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) });
  response.end(response.req.method === "HEAD" ? undefined : body);
}

/** The address that the gate vouches for: the only one that an upstream should believe. */
function seenFrom(request: IncomingMessage): string {
  const forwarded = request.headers["x-forwarded-for"];
  return typeof forwarded === "string" ? forwarded : "nobody: opened without the gate";
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

server.listen(Number(process.argv[2] ?? 9000), process.argv[3] ?? "127.0.0.1", () => {
  const { address, port } = server.address() as AddressInfo;
  process.stdout.write(`sample clinic at http://${address}:${port}\n`);
  process.send?.({ port });
});
process.once("disconnect", () => process.exit(0));
process.once("SIGTERM", () => process.exit(0));
