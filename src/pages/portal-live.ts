/** Tells an open portal page that something has changed, as server-sent events; the page then fetches itself anew. */
import { PassThrough, type Readable } from "node:stream";
import { hashSessionSecret } from "../person/session-record.ts";
import type { PlacePages } from "./place-pages.ts";
import { asOwner, type OwnerCall } from "./portal-frame.ts";
import type { Answer, Route } from "./route.ts";

/** Often enough that nobody on the way gives the connection up. */
const BEAT_MS = 15_000;
/** No page needs to know more often. */
const CALM_MS = 1_000;
const MOST_STREAMS = 500;

export function portalLiveRoutes(pages: PlacePages): Route[] {
  const streams = new Set<Readable>();
  return [
    {
      method: "GET",
      path: "portal/live",
      handle: (call) =>
        asOwner(call, pages, async (owner): Promise<Answer> => {
          if (streams.size >= MOST_STREAMS) return { kind: "json", status: 503, body: {} };
          const body = follow(owner, pages);
          streams.add(body);
          body.once("close", () => streams.delete(body));
          return { kind: "stream", contentType: "text/event-stream", body };
        }),
    },
  ];
}

/** Ends with the session, so that an open page keeps none alive. */
function follow(call: OwnerCall, { store, person }: PlacePages): Readable {
  const { visit } = call;
  const hash = hashSessionSecret(visit.cookies.session ?? "");
  const body = new PassThrough();
  let calm: NodeJS.Timeout | undefined;
  const unwatch = store.watch(() => {
    calm ??= setTimeout(() => {
      calm = undefined;
      body.write("event: change\ndata: {}\n\n");
    }, CALM_MS);
  });
  const beat = setInterval(async () => {
    const live = await person.sessions.lookup(visit.tenant, hash).catch(() => undefined);
    if (live === undefined) body.end();
    else body.write(":\n\n");
  }, BEAT_MS);
  body.once("close", () => {
    unwatch();
    clearInterval(beat);
    clearTimeout(calm);
  });
  body.write("retry: 5000\n\n");
  return body;
}
