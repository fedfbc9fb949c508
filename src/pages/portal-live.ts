/** Tells an open portal page that something has changed, as server-sent events; the page then fetches itself anew. */
import { PassThrough, type Readable } from "node:stream";
import { TENANT_AUDIT_KIND } from "../core/audit.ts";
import type { TenantId } from "../core/ids.ts";
import { hashSessionSecret } from "../core/session.ts";
import type { Store } from "../core/store.ts";
import type { PlacePages } from "./place-pages.ts";
import { asOwner, type OwnerCall } from "./portal-frame.ts";
import type { Answer, Route } from "./route.ts";

/** Often enough that nobody on the way gives the connection up. */
const BEAT_MS = 15_000;
/** No page needs to know more often. */
const CALM_MS = 1_000;
/** Of all clinics; a page beyond any of these limits goes without. */
const MOST_STREAMS = 1_000;
const MOST_OF_TENANT = 20;
const MOST_OF_SESSION = 5;

export function portalLiveRoutes(pages: PlacePages): Route[] {
  const open = new Set<Stream>();
  return [
    {
      method: "GET",
      path: "portal/live",
      handle: (call) =>
        asOwner(call, pages, async (owner): Promise<Answer> => {
          const stream = { tenant: owner.visit.tenant.id, session: owner.session.id };
          if (!hasRoom(open, stream)) return { kind: "json", status: 503, body: {} };
          open.add(stream);
          const body = follow(owner, pages);
          body.once("close", () => open.delete(stream));
          return { kind: "stream", contentType: "text/event-stream", body };
        }),
    },
  ];
}

interface Stream {
  readonly tenant: TenantId;
  readonly session: string;
}

/** So that nobody, by many tabs or on purpose, leaves the others without. */
function hasRoom(open: ReadonlySet<Stream>, { tenant, session }: Stream): boolean {
  const ofTenant = [...open].filter((stream) => stream.tenant === tenant);
  const ofSession = ofTenant.filter((stream) => stream.session === session);
  return open.size < MOST_STREAMS && ofTenant.length < MOST_OF_TENANT && ofSession.length < MOST_OF_SESSION;
}

/** Speaks of this clinic's changes alone, and ends with the session, so that an open page keeps none alive. */
function follow(call: OwnerCall, { store, person }: PlacePages): Readable {
  const { tenant, cookies } = call.visit;
  const hash = hashSessionSecret(cookies.session ?? "");
  const body = new PassThrough();
  const say = (text: string) => body.writableEnded || body.destroyed || body.write(text);
  let told = newestChange(store, tenant.id);
  let calm: NodeJS.Timeout | undefined;
  const look = async (): Promise<void> => {
    calm = undefined;
    const [before, now] = [await told, await newestChange(store, tenant.id)];
    told = Promise.resolve(now);
    if (now !== before) say("event: change\ndata: {}\n\n");
  };
  const unwatch = store.watch(() => {
    calm ??= setTimeout(() => void look(), CALM_MS);
  });
  const beat = setInterval(async () => {
    const live = await person.sessions.lookup(tenant, hash).catch(() => undefined);
    if (live === undefined) body.end();
    else say(":\n\n");
  }, BEAT_MS);
  body.once("close", () => {
    unwatch();
    clearInterval(beat);
    clearTimeout(calm);
  });
  say("retry: 5000\n\n");
  return body;
}

/** Names the clinic's latest change; nothing while the store is away. */
async function newestChange(store: Store, tenant: TenantId): Promise<string | undefined> {
  const request = { kind: TENANT_AUDIT_KIND, prefix: `${tenant}/`, limit: 1 };
  return await store.list(request).then(
    ([newest]) => newest?.id,
    () => undefined,
  );
}
