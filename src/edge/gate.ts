/** The gate: for each request, from whom it comes, whose it is, and whether it may pass. */
import type { IncomingMessage } from "node:http";
import type { EdgeLimits } from "../config/settings.ts";
import type { Address } from "../core/address.ts";
import type { Clock } from "../core/clock.ts";
import { type Authority, parseAuthority } from "../core/host.ts";
import { decide, EXEMPT_VERDICT, isExempt, type Verdict } from "../core/verdict.ts";
import type { PolicyReplica, TenantPolicy } from "../replica/policy.ts";
import type { Connection } from "./connection.ts";
import type { Exchange } from "./exchange.ts";
import { Intake } from "./intake.ts";
import { Refusal } from "./refusals.ts";
import { RequestIds } from "./request-ids.ts";
import type { TrustedProxies } from "./source.ts";
import { parseAbsolute, routeOf } from "./target.ts";
import { asksForUpgrade, upgradeFault } from "./upgrade.ts";

export interface GateOptions {
  readonly replica: Pick<PolicyReplica, "state" | "tenantByHost">;
  readonly trustedProxies: TrustedProxies;
  readonly limits: EdgeLimits;
  readonly clock: Clock;
}

export class Gate {
  readonly #options: GateOptions;
  readonly #intake: Intake;
  readonly #requestIds = new RequestIds();
  /** The slot of the entry that the last look at the location door found, or -1. */
  #slot = -1;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#intake = new Intake(options.limits);
  }

  /**
   * Decides one request, in the order that the design gives. What cannot be told is refused.
   *
   * Hot path: allocates the exchange, awaits nothing.
   */
  judge(req: IncomingMessage, connection: Connection): Exchange | Refusal {
    const fault = this.#intake.read(req);
    if (fault !== undefined) return new Refusal(fault);
    const nowMs = this.#options.clock.nowMs();
    const state = this.#options.replica.state(nowMs);
    if (state !== "serving") return new Refusal(state === "empty" ? "not_ready" : "policy_stale");
    const address = this.#clientOf(connection);
    if (address === undefined) return new Refusal("source_invalid", undefined, connection.facts.peer);
    const authority = authorityOf(this.#intake.host, connection);
    if (authority === undefined) return new Refusal("host_invalid", undefined, address);
    const target = originForm(req.url ?? "", authority);
    if (target === undefined) return new Refusal("target_invalid", undefined, address);
    const tenant = this.#tenantOf(authority, connection);
    if (tenant === undefined) return new Refusal("host_unknown", undefined, address);
    const route = routeOf(target);
    if (route === undefined) return new Refusal("target_invalid", tenant, address);
    const { facts } = connection;
    const exchange: Exchange = {
      connection,
      tenant,
      address,
      tls: facts.tls || (facts.trusted && saysHttps(this.#intake.forwardedProto)),
      host: authority.host,
      method: req.method ?? "",
      target,
      route,
      hasBody: this.#intake.hasBody,
      requestId: this.#requestIds.next(),
      verdict: undefined,
      upgrades: false,
      expiresAtSeconds: 0,
      previous: undefined,
      next: undefined,
    };
    return route === "pages" ? exchange : (this.#refuse(exchange, req, authority, nowMs) ?? exchange);
  }

  /** Whether an exchange would still be let through. Notes when the entry that now admits it expires. */
  reconsider(exchange: Exchange, nowMs: number): boolean {
    const { replica } = this.#options;
    const tenant = replica.tenantByHost(exchange.host);
    if (tenant?.id !== exchange.tenant.id || replica.state(nowMs) !== "serving") return false;
    const verdict = this.#judgeDoors(tenant, exchange, Math.floor(nowMs / 1000));
    exchange.expiresAtSeconds = this.#slot < 0 ? 0 : tenant.matcher.expiresAtSeconds(this.#slot);
    return verdict.outcome === "forward";
  }

  /** Tries the two doors, then the way out of HTTP. */
  #refuse(exchange: Exchange, req: IncomingMessage, authority: Authority, nowMs: number): Refusal | undefined {
    const { tenant, address } = exchange;
    const nowSeconds = Math.floor(nowMs / 1000);
    const verdict = this.#judgeDoors(tenant, exchange, nowSeconds);
    exchange.verdict = verdict;
    if (verdict.outcome !== "forward") {
      return new Refusal(verdict.outcome === "blocked" ? "not_on_allowlist" : "no_session", tenant, address, verdict);
    }
    const { upgrade } = this.#intake;
    if (upgrade !== undefined && asksForUpgrade(req)) {
      const fault = upgradeFault(exchange, req, upgrade, authority);
      if (fault !== undefined) return new Refusal(fault, tenant, address);
      exchange.upgrades = true;
    }
    if (this.#slot >= 0) {
      exchange.expiresAtSeconds = tenant.matcher.expiresAtSeconds(this.#slot);
      tenant.matcher.noteSeen(this.#slot, nowSeconds);
    }
    return undefined;
  }

  #judgeDoors(tenant: TenantPolicy, exchange: Exchange, nowSeconds: number): Verdict {
    const { policy, matcher } = tenant;
    this.#slot = -1;
    if (isExempt(policy.exempt, exchange.method, exchange.target) !== undefined) return EXEMPT_VERDICT;
    if (policy.network !== "off") this.#slot = matcher.lookup(exchange.address, nowSeconds);
    return decide(policy, this.#slot >= 0, false);
  }

  #clientOf(connection: Connection): Address | undefined {
    const { facts } = connection;
    if (!facts.forwards) return facts.peer;
    const { forwardedFor } = this.#intake;
    if (connection.client === undefined || forwardedFor !== connection.forwardedFor) {
      connection.forwardedFor = forwardedFor;
      connection.client = this.#options.trustedProxies.clientBehind(facts.peer, forwardedFor);
    }
    return connection.client;
  }

  /** The tenant whose host this is. With TLS, the server name must have been one of the same tenant's. */
  #tenantOf(authority: Authority, { facts }: Connection): TenantPolicy | undefined {
    const { replica } = this.#options;
    const tenant = replica.tenantByHost(authority.host);
    // The server name between a forwarding proxy and this edge is theirs, not the client's.
    if (tenant === undefined || !facts.tls || facts.forwards || facts.serverName === authority.host) return tenant;
    if (facts.serverName === undefined) return isIpLiteral(authority.host) ? tenant : undefined;
    return replica.tenantByHost(facts.serverName)?.id === tenant.id ? tenant : undefined;
  }
}

/** A connection's Host field rarely changes, so its reading is remembered. */
function authorityOf(text: string, connection: Connection): Authority | undefined {
  if (text !== connection.hostText) {
    connection.hostText = text;
    connection.authority = parseAuthority(text);
  }
  return connection.authority;
}

/** The target in origin form; an absolute one must name what the Host field names (RFC 9112 section 3.2.2). */
function originForm(target: string, authority: Authority): string | undefined {
  if (target.startsWith("/")) return target;
  const absolute = parseAbsolute(target);
  if (absolute?.authority.host !== authority.host || absolute.authority.port !== authority.port) return undefined;
  return absolute.target;
}

/** What the nearest proxy says, which is the last element. */
function saysHttps(forwardedProto: string | undefined): boolean {
  return forwardedProto !== undefined && /(?:^|,)[ \t]*https[ \t]*$/i.test(forwardedProto);
}

/** Server names (RFC 6066 section 3) cannot be addresses, so there is none for these. */
function isIpLiteral(host: string): boolean {
  return host.startsWith("[") || /\.[0-9]+$/.test(host);
}
