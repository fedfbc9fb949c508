/** Between the wire and the pages: reads each call once, refuses what is unsound, and sends the answer. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { acceptsHtml } from "../core/accept.ts";
import { type Address, parseAddress } from "../core/address.ts";
import type { Clock } from "../core/clock.ts";
import { retryAfterSeconds, SallyportError } from "../core/errors.ts";
import { isSecret, newSecret } from "../core/ids.ts";
import type { Keyring } from "../core/keyring.ts";
import type { Logger } from "../core/log.ts";
import { pathOf } from "../core/target.ts";
import { translator } from "../look/language.ts";
import { page } from "../look/page.ts";
import { setCookieFields } from "./cookies.ts";
import { readFields, readQuery } from "./form-fields.ts";
import { FormGuard, isFromProgram, isFromThisOrigin, PROOF_FIELD, siblingOrigin } from "./form-guard.ts";
import { showGone } from "./outcome.ts";
import { PageMethods } from "./page-methods.ts";
import { type PageRefusal, sendRefusal } from "./refusal.ts";
import { type Caller, type FindTenant, readCaller } from "./request-facts.ts";
import { type Answer, answerJson, type Call, pathTo, ROOT, type Route, redirectTo } from "./route.ts";

export interface ReceptionOptions {
  /** The tenants as control's replica knows them. */
  readonly tenant: FindTenant;
  /** Its key proves that a form is ours. */
  readonly keyring: Pick<Keyring, "deriveKeys">;
  readonly clock: Clock;
  readonly log: Logger;
  /**
   * Takes a turn of the network that asks at the tenant, before anything else is done for it; what is the same for
   * everybody takes none. @returns how long to wait in milliseconds; 0: go on
   */
  readonly takeTurn: (tenant: string, address: Address) => number;
}

const ASSETS_ROOT = `${ROOT}/assets/`;

/** What a refused input is to the browser; every other code is a fault of ours. */
const STATUS: Readonly<Record<string, number>> = {
  request_malformed: 400,
  body_invalid: 400,
  email_invalid: 400,
  code_invalid: 400,
  number_invalid: 400,
  password_refused: 400,
  forbidden: 403,
  not_found: 404,
  entry_limit: 409,
  precondition_failed: 409,
  limit_reached: 429,
  store_unavailable: 503,
};

export class Reception {
  readonly #options: ReceptionOptions;
  readonly #guard: FormGuard;
  #routes: readonly Route[] = [];

  constructor(options: ReceptionOptions) {
    this.#options = options;
    this.#guard = new FormGuard(options.keyring);
  }

  /** Answers for everything that the server is asked, and for the routes that it gets after these. */
  attend(server: FastifyInstance, routes: readonly Route[]): void {
    this.#routes = routes;
    server.removeAllContentTypeParsers();
    server.addContentTypeParser("application/x-www-form-urlencoded", { parseAs: "string" }, (_request, body, done) =>
      done(null, new URLSearchParams(String(body))),
    );
    server.addContentTypeParser(
      "application/json",
      { parseAs: "string" },
      server.getDefaultJsonParser("error", "error"),
    );
    const methods = new PageMethods(server);
    for (const route of routes) {
      server.route({
        method: route.method === "GET" ? "GET" : "POST",
        url: `${ROOT}/${route.path}`,
        handler: async (request, reply) => await this.#serve(route, request, reply),
      });
    }
    // Before the body is read, of which nothing matters here.
    server.addHook("onRequest", async (request, reply) => {
      const waitMs = request.is404 || !pathOf(request.url).startsWith(ASSETS_ROOT) ? this.#takeTurn(request) : 0;
      if (waitMs > 0) return await this.#refuse(request, reply, { status: 429, waitMs, ofNetwork: true });
      if (!request.is404) return;
      const allow = methods.allowOf(pathOf(request.url));
      if (allow !== undefined) reply.header("allow", allow);
      await this.#refuse(request, reply, { status: allow === undefined ? 404 : 405 });
    });
    server.setErrorHandler((error, request, reply) => this.#fail(error, request, reply));
  }

  /**
   * Answers what came to no route, its path being in no encoding of text: a token spelt like that is none, which is
   * for its page to say.
   */
  async unrouted(error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const path = `${pathOf(request.url)
      .slice(ROOT.length + 1)
      .replace(/[^/]+$/, "")}:token`;
    const route = this.#routes.find((one) => one.path === path && (one.method === "GET") === isRead(request));
    try {
      const waitMs = this.#takeTurn(request);
      if (waitMs > 0) this.#refuse(request, reply, { status: 429, waitMs, ofNetwork: true });
      else if (route === undefined) throw error;
      else await this.#serve(route, request, reply);
    } catch (failure) {
      this.#fail(failure, request, reply);
    }
  }

  #takeTurn({ headers }: FastifyRequest): number {
    const address = parseAddress(String(headers["sallyport-client-address"] ?? ""));
    const tenant = String(headers["sallyport-tenant"] ?? "");
    return address === undefined ? 0 : this.#options.takeTurn(tenant, address);
  }

  async #serve(route: Route, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { tenant, clock } = this.#options;
    const found = readCaller(request.headers, tenant, clock);
    if (found === undefined) return this.#refuse(request, reply, { status: 404 });
    const posts = route.method !== "GET";
    const sibling = route.open === true ? siblingOrigin(request.headers, found.visit) : undefined;
    const ours = sibling !== undefined || isFromThisOrigin(request.headers, found.visit.origin);
    if (posts && !ours) return this.#refuse(request, reply, { status: 403 });
    // Only that origin may read the answer, and none of our cookies comes with its question.
    if (sibling !== undefined) reply.header("access-control-allow-origin", sibling).header("vary", "origin");
    const proven = route.open === true && (sibling !== undefined || isFromProgram(request.headers));
    const isForm = request.body instanceof URLSearchParams || (proven && !request.body);
    if (posts && isForm !== (route.method === "POST")) return this.#refuse(request, reply, { status: 400 });
    const form = posts ? readFields(request.body, route.fields ?? []) : {};
    const { caller, fresh } = bound(found);
    const call = this.#callOf(caller, request, form);
    // Our own page, but from before the browser was closed, or of another key: the person begins again.
    const sound = !posts || proven || this.#guard.accepts(found.visit, pathOf(request.url), form[PROOF_FIELD]);
    const answer = sound ? await answerTo(route, call) : showGone(call, 403);
    return send(reply, caller, call, fresh === undefined ? answer : withBrowser(answer, fresh));
  }

  #callOf({ visit }: Caller, request: FastifyRequest, form: Call["form"]): Call {
    const { lang } = visit;
    const { token = "" } = (request.params ?? {}) as { token?: string };
    const wanted = request.headers["sallyport-target"];
    return {
      visit,
      lang,
      text: translator(lang),
      nowMs: this.#options.clock.nowMs(),
      token,
      wanted: typeof wanted === "string" ? wanted : undefined,
      wantsPage: acceptsHtml(request.headers.accept),
      query: readQuery(request.url),
      form,
      proofFor: (path) => this.#guard.proofFor(visit, visit.cookies.browser ?? "", path),
    };
  }

  #fail(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const status = statusOf(error);
    if (status >= 500) {
      const reference = String(request.headers["sallyport-request-id"] ?? "");
      this.#options.log.error({ err: error, requestId: reference, route: request.routeOptions.url }, "a page failed");
    }
    const { code, retryAfterMs } = error instanceof SallyportError ? error : {};
    const known = code === undefined || status >= 500 ? {} : { code };
    return this.#refuse(request, reply, { status, ...known, waitMs: retryAfterMs });
  }

  #refuse(request: FastifyRequest, reply: FastifyReply, refusal: PageRefusal): FastifyReply {
    const tenant = String(request.headers["sallyport-tenant"] ?? "") as Parameters<FindTenant>[0];
    return sendRefusal(request, reply, refusal, this.#options.tenant(tenant));
  }
}

/** What needs a recent proof sends the person to give one, and back to the account page; a first sign-in begins again. */
async function answerTo(route: Route, call: Call): Promise<Answer> {
  try {
    return await route.handle(call);
  } catch (error) {
    if (!(error instanceof SallyportError) || error.code !== "proof_required") throw error;
    const first = (call.form["c"] ?? call.query["c"]) !== undefined;
    const location = pathTo("sign-in", first ? {} : { fresh: "1" });
    if (route.method === "JSON") return answerJson({ location }, 401);
    return first ? showGone(call) : redirectTo(location);
  }
}

/** The caller with a browser secret, new where there was none that is sound. */
function bound(caller: Caller): { caller: Caller; fresh: string | undefined } {
  const { visit } = caller;
  if (isSecret(visit.cookies.browser)) return { caller, fresh: undefined };
  const fresh = newSecret();
  return { caller: { ...caller, visit: { ...visit, cookies: { ...visit.cookies, browser: fresh } } }, fresh };
}

function withBrowser(answer: Answer, browser: string): Answer {
  // What anybody may keep must set no cookie.
  if (answer.kind === "json" && answer.maxAgeSeconds !== undefined) return answer;
  return { ...answer, cookies: { browser, ...answer.cookies } };
}

function send(reply: FastifyReply, { visit, tls }: Caller, { lang, nowMs }: Call, answer: Answer): FastifyReply {
  const cookies = setCookieFields(answer.cookies ?? {}, tls, nowMs);
  if (cookies.length > 0) reply.header("set-cookie", cookies);
  if (answer.retryAfterMs !== undefined) reply.header("retry-after", retryAfterSeconds(answer.retryAfterMs));
  if (tls) reply.header("strict-transport-security", "max-age=31536000");
  if (answer.kind === "page") {
    const { html, headers } = page({ ...answer.content, tenant: visit.tenant, lang });
    return reply.code(answer.status).headers(headers).send(html);
  }
  reply.header("referrer-policy", "no-referrer").header("x-content-type-options", "nosniff");
  if (answer.kind === "redirect") {
    return reply.code(303).header("cache-control", "no-store").header("location", answer.to).send();
  }
  if (answer.kind === "stream") {
    // Also when nothing is sent of it, as for a HEAD.
    reply.raw.once("close", () => answer.body.destroy());
    return reply.header("cache-control", "no-store").type(answer.contentType).send(answer.body);
  }
  if (answer.kind === "file") {
    const { name, contentType, body } = answer;
    reply.header("cache-control", "no-store").header("cross-origin-resource-policy", "same-origin");
    if (name !== undefined) reply.header("content-disposition", dispositionOf(name));
    return reply.code(answer.status).type(contentType).send(body);
  }
  const { maxAgeSeconds } = answer;
  reply.header("cache-control", maxAgeSeconds === undefined ? "no-store" : `public, max-age=${maxAgeSeconds}`);
  return reply.code(answer.status).type("application/json").send(JSON.stringify(answer.body));
}

/** RFC 6266: the name in ASCII for old clients, and as it is. */
function dispositionOf(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9 ._-]/g, "_");
  const exact = encodeURIComponent(name).replace(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${exact}`;
}

function statusOf(error: unknown): number {
  if (error instanceof SallyportError) return STATUS[error.code] ?? 500;
  const status = (error as { statusCode?: unknown }).statusCode;
  // Too large, of another type, cut short: whatever is no form of ours is malformed, and told in the same words.
  return typeof status === "number" && status >= 400 && status < 500 ? 400 : 500;
}

function isRead({ method }: FastifyRequest): boolean {
  return method === "GET" || method === "HEAD";
}
