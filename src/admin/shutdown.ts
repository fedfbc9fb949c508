/** Closing the API's server soon, whoever is connected. */
import type { Api } from "./routes.ts";

/** How long what is under way may take to finish. */
const GRACE_MS = 5_000;

/**
 * Idle connections are closed at once. One whose answer comes later would be kept for the client's next request,
 * and the server would wait for that: so it is told that there is no next one.
 */
export function closeSoon(api: Api): void {
  let closing = false;
  api.addHook("preClose", async () => {
    closing = true;
    setTimeout(() => api.server.closeAllConnections(), GRACE_MS).unref();
  });
  api.addHook("onSend", async (_request, reply) => {
    if (closing) void reply.header("connection", "close");
  });
}
