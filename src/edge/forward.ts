/** From an admitted request to the right upstream: the tenant's application, or control for our own pages. */
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { createSecureContext, getCACertificates, type SecureContext } from "node:tls";
import type { EdgeConfig } from "../config/settings.ts";
import type { Address } from "../core/address.ts";
import type { Clock } from "../core/clock.ts";
import type { CanonicalHost, TenantId } from "../core/ids.ts";
import type { Logger } from "../core/log.ts";
import type { ClientRequest, ClientResponse } from "./client-message.ts";
import { readPageBody } from "./control-request.ts";
import { answerFault } from "./fault-answer.ts";
import type { ForwardTenant, Lane, Order } from "./forward-order.ts";
import { linesOf } from "./header-rules.ts";
import type { PlainRequest } from "./plain-request.ts";
import type { PlainResponse } from "./plain-response.ts";
import { RequestHead, type SentHead, sentHead } from "./request-head.ts";
import { Ticker } from "./ticker.ts";
import { responseOn, Tunnel } from "./tunnel.ts";
import { Upstream, type UpstreamOptions } from "./upstream.ts";
import { UpstreamExchange } from "./upstream-exchange.ts";
import { targetOf } from "./upstream-socket.ts";
import { type UpstreamOwner, Upstreams } from "./upstreams.ts";

/** What the front of the edge established about a request that it lets through. */
export interface Admission {
  readonly tenant: ForwardTenant;
  /** The client's, as the gate judged it. */
  readonly address: Address;
  readonly tls: boolean;
  readonly host: CanonicalHost;
  readonly port?: number | undefined;
  /** In origin form, byte for byte as it came. */
  readonly target: string;
  /** The value of `Sallyport-Assertion`. */
  readonly assertion?: string | undefined;
  readonly requestId: string;
}

export interface ForwarderOptions {
  readonly config: Pick<EdgeConfig, "timeouts" | "upstream">;
  /** The path of control's Unix socket for pages. */
  readonly pagesSocket: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Control's page that seals the way back and redirects to the sign-in. */
const BEGIN_SIGN_IN = "/.sallyport/begin";
/** More than the open portals that control serves, each of which holds one for its live view. */
const CONTROL_CONNECTIONS = 2_000;
const CONTROL: UpstreamOwner = { id: "control" as TenantId, upstreams: ["control"] };

/**
 * Carries requests; the verdict has been given. When the client's socket is destroyed, the upstream's request
 * ends at once.
 */
export class Forwarder {
  readonly #tenants: Lane;
  readonly #control: Lane;
  readonly #tunnelIdleMs: number;

  /** @throws when the configured certificate authorities cannot be read */
  constructor({ config, pagesSocket, clock, log }: ForwarderOptions) {
    const { timeouts, upstream } = config;
    const waits = {
      responseHeadersMs: timeouts.responseHeadersSeconds * 1000,
      responseIdleMs: timeouts.responseIdleSeconds * 1000,
      keepAliveMs: upstream.keepAliveSeconds * 1000,
    };
    const options: UpstreamOptions = {
      ...waits,
      connectMs: timeouts.connectSeconds * 1000,
      maxConnections: upstream.maxConnections,
      keepsOurCookies: false,
      ticker: new Ticker(Math.min(...Object.values(waits))),
      clock,
    };
    const context = trust(upstream.ca);
    const { responseHeadersMs, responseIdleMs } = waits;
    const shared = { responseHeadersMs, responseIdleMs, log };
    this.#tenants = {
      ...shared,
      upstreams: new Upstreams(clock, (origin) => new Upstream(targetOf(origin, context), options)),
      keepsOurCookies: false,
      unreachable: "bad_gateway",
    };
    this.#control = {
      ...shared,
      upstreams: new Upstreams(
        clock,
        () =>
          new Upstream(
            { kind: "unix", path: pagesSocket },
            { ...options, maxConnections: CONTROL_CONNECTIONS, keepsOurCookies: true },
          ),
      ),
      keepsOurCookies: true,
      unreachable: "unavailable",
    };
    this.#tunnelIdleMs = timeouts.tunnelIdleSeconds * 1000;
  }

  /** To one of the tenant's upstreams. Hot path. */
  forward(req: IncomingMessage, res: ServerResponse, admission: Admission): void {
    this.#forward(req, res, admission, sentHead(req.rawHeaders, admission), { req, res });
  }

  /**
   * As {@link forward}. Hot path: a head that comes again is not made again. All that the edge adds to it follows
   * from its fields and their connection, but for the assertion.
   */
  forwardPlain(req: PlainRequest, res: PlainResponse, admission: Admission): void {
    const { fields } = req;
    if (fields.sent === undefined || fields.sent.assertion !== admission.assertion) {
      fields.sent = sentHead(fields.raw, admission);
    }
    this.#forward(req, res, admission, fields.sent, undefined);
  }

  #forward(
    req: ClientRequest,
    res: ClientResponse,
    admission: Admission,
    { head, lines }: SentHead,
    node: Order["node"],
  ): void {
    if (head.malformed) {
      answerFault(req, res, "request_invalid", admission);
      return;
    }
    const { tenant, target, requestId } = admission;
    const { body } = req;
    const { chunked } = head;
    const order = { req, res, node, head, lines, target, owner: tenant, tenant, requestId, body, chunked };
    new UpstreamExchange(order, this.#tenants).start();
  }

  /**
   * To control, with what the edge knows of the client.
   * @param signsIn not for the page that was asked for, but to be sent to the sign-in, and from there to it
   */
  forwardToControl(req: IncomingMessage, res: ServerResponse, admission: Admission, signsIn = false): void {
    this.#askControl(req, res, admission, { req, res }, signsIn);
  }

  /** As {@link forwardToControl}. */
  forwardPlainToControl(req: PlainRequest, res: PlainResponse, admission: Admission, signsIn = false): void {
    this.#askControl(req, res, admission, undefined, signsIn);
  }

  #askControl(
    req: ClientRequest,
    res: ClientResponse,
    admission: Admission,
    node: Order["node"],
    signsIn: boolean,
  ): void {
    const head = new RequestHead(req.rawHeaders, true);
    if (head.malformed) {
      answerFault(req, res, "request_invalid", admission);
      return;
    }
    readPageBody({ req, node }, head, (body) => {
      if (body === undefined) return answerFault(req, res, "form_too_large", admission);
      const { tenant, requestId } = admission;
      const target = signsIn ? BEGIN_SIGN_IN : admission.target;
      const lines = linesOf(
        head.forControl(signsIn ? { ...admission, wanted: admission.target } : admission, body.length),
      );
      const order = { req, res, node, head, lines, target, owner: CONTROL, tenant, requestId, body, chunked: false };
      new UpstreamExchange(order, this.#control).start();
    });
  }

  /** To one of the tenant's upstreams, to be relayed as bytes once that one agrees. */
  upgrade(req: IncomingMessage, socket: Duplex, early: Buffer, admission: Admission): void {
    const head = new RequestHead(req.rawHeaders);
    const { tenant, target, requestId } = admission;
    // The gate has refused a body, which would be taken for the tunnel's bytes.
    if (head.malformed || head.hasBody) {
      answerFault(req, responseOn(req, socket), "request_invalid", admission);
      return;
    }
    const fields = head.forUpstream(admission);
    const order = { req, socket, early, fields, protocol: head.upgrade, target, tenant, requestId };
    new Tunnel(order, this.#tenants, this.#tunnelIdleMs).start();
  }

  /** Upstreams that no tenant names any more close gracefully. @param tenant its policy now; absent when it is gone */
  tenantChanged(id: TenantId, tenant: UpstreamOwner | undefined): void {
    if (tenant === undefined) this.#tenants.upstreams.forget(id);
    else this.#tenants.upstreams.update(tenant);
  }

  /** The tenants whose upstreams are known here, for when all of them may have changed. */
  knownTenants(): TenantId[] {
    return this.#tenants.upstreams.known();
  }

  /** Ends every upstream connection; meant for after the drain. */
  close(): void {
    this.#tenants.upstreams.destroy();
    this.#control.upstreams.destroy();
  }
}

function trust(caFile: string | undefined): SecureContext | undefined {
  if (caFile === undefined) return undefined;
  return createSecureContext({ ca: [...getCACertificates("default"), readFileSync(caFile, "utf8")] });
}
