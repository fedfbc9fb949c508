/** The gate: for each request, from whom it comes, whose it is, and whether it may pass. */
import type { EdgeLimits } from "../config/settings.ts";
import type { Address } from "../core/address.ts";
import type { Clock } from "../core/clock.ts";
import { type Authority, parseAuthority } from "../core/host.ts";
import type { SessionHash } from "../core/ids.ts";
import { isEnough } from "../core/second-factor.ts";
import { hashSessionSecret } from "../core/session.ts";
import { parseAbsolute, routeOf } from "../core/target.ts";
import { decide, EXEMPT_VERDICT, isExempt, type Verdict } from "../core/verdict.ts";
import type { PolicyReplica, TenantPolicy } from "../replica/policy.ts";
import type { ClientRequest } from "./client-message.ts";
import type { Connection } from "./connection.ts";
import type { Exchange } from "./exchange.ts";
import { ownText } from "./header-rules.ts";
import { Intake } from "./intake.ts";
import { Refusal } from "./refusals.ts";
import { RequestIds } from "./request-ids.ts";
import { type CachedSession, type SessionDirectory, sessionSecretOf } from "./sessions.ts";
import type { TrustedProxies } from "./source.ts";
import { asksForUpgrade, upgradeFault } from "./upgrade.ts";

export interface GateOptions {
  readonly replica: Pick<PolicyReplica, "state" | "tenantByHost">;
  readonly trustedProxies: TrustedProxies;
  readonly limits: EdgeLimits;
  readonly clock: Clock;
  readonly sessions: SessionDirectory;
}

/** Whether a request may pass depends on a session that control must be asked about. */
export class SessionQuestion {
  readonly tenant: TenantPolicy;
  readonly hash: SessionHash;
  constructor(tenant: TenantPolicy, hash: SessionHash) {
    this.tenant = tenant;
    this.hash = hash;
  }
}

/** Seconds that an exchange may run on while its session is being checked again. */
const RECHECK_SECONDS = 3;

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
   * @param answer control's answer to the question that this request led to; `unanswered` when there was none
   */
  judge(
    req: ClientRequest,
    connection: Connection,
    answer?: CachedSession | "unanswered",
  ): Exchange | Refusal | SessionQuestion {
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
      port: authority.port,
      method: req.method ?? "",
      target,
      route,
      hasBody: this.#intake.hasBody,
      requestId: this.#requestIds.next(),
      verdict: undefined,
      session: undefined,
      assertion: undefined,
      upgrades: false,
      expiresAtSeconds: 0,
      previous: undefined,
      next: undefined,
    };
    if (route === "pages") return exchange;
    const question = this.#findSession(exchange, nowMs, answer);
    if (question !== undefined) return question;
    return this.#refuse(exchange, req, authority, nowMs, answer === "unanswered") ?? exchange;
  }

  /** Whether an exchange would still be let through. Notes when the entry that now admits it expires. */
  reconsider(exchange: Exchange, nowMs: number): boolean {
    const { replica } = this.#options;
    const tenant = replica.tenantByHost(exchange.host);
    if (tenant?.id !== exchange.tenant.id || replica.state(nowMs) !== "serving") return false;
    const { session } = exchange;
    const nowSeconds = Math.floor(nowMs / 1000);
    if (session?.facts !== undefined && nowMs >= session.renewAtMs) this.#options.sessions.renew(session, nowMs);
    const verdict = this.#judgeDoors(tenant, exchange, nowMs);
    exchange.expiresAtSeconds = this.#nextDecision(tenant, exchange, nowSeconds);
    return verdict.outcome === "forward";
  }

  /** Tries the two doors, then the way out of HTTP. */
  #refuse(
    exchange: Exchange,
    req: ClientRequest,
    authority: Authority,
    nowMs: number,
    sessionUnknown: boolean,
  ): Refusal | undefined {
    const { tenant, address } = exchange;
    const nowSeconds = Math.floor(nowMs / 1000);
    const verdict = this.#judgeDoors(tenant, exchange, nowMs);
    exchange.verdict = verdict;
    if (verdict.outcome !== "forward") {
      if (verdict.outcome === "sign-in" && sessionUnknown) return new Refusal("session_unknown", tenant, address);
      if (verdict.outcome === "sign-in") return new Refusal("no_session", tenant, address, verdict, exchange);
      return new Refusal("not_on_allowlist", tenant, address, verdict);
    }
    const { upgrade } = this.#intake;
    if (upgrade !== undefined && asksForUpgrade(req)) {
      const fault = upgradeFault(exchange, req, upgrade, authority);
      if (fault !== undefined) return new Refusal(fault, tenant, address);
      exchange.upgrades = true;
    }
    if (this.#slot >= 0) tenant.matcher.noteSeen(this.#slot, nowSeconds);
    if (exchange.session !== undefined) this.#options.sessions.noteUse(exchange.session, nowSeconds);
    exchange.expiresAtSeconds = this.#nextDecision(tenant, exchange, nowSeconds);
    return undefined;
  }

  #judgeDoors(tenant: TenantPolicy, exchange: Exchange, nowMs: number): Verdict {
    const { policy, matcher } = tenant;
    this.#slot = -1;
    if (isExempt(policy.exempt, exchange.method, exchange.target)) return EXEMPT_VERDICT;
    if (policy.network !== "off") this.#slot = matcher.lookup(exchange.address, Math.floor(nowMs / 1000));
    return decide(policy, this.#slot >= 0, exchange.session?.opens(policy, nowMs) ?? false);
  }

  /** When what {@link #judgeDoors} just found holds no longer by itself. */
  #nextDecision(tenant: TenantPolicy, { session }: Exchange, nowSeconds: number): number {
    const entry = this.#slot < 0 ? 0 : tenant.matcher.expiresAtSeconds(this.#slot);
    if (session === undefined) return entry;
    const renewal = Math.max(Math.ceil(session.renewAtMs / 1000), nowSeconds + RECHECK_SECONDS);
    const lease = Math.min(renewal, Math.ceil(session.leaseUntilMs / 1000));
    return entry === 0 ? lease : Math.min(entry, lease);
  }

  /**
   * Finds the session of a request to a tenant that has a person door. A person whom the location door alone
   * keeps out is not asked about, so that strangers cannot make control work.
   */
  #findSession(
    exchange: Exchange,
    nowMs: number,
    answer: CachedSession | "unanswered" | undefined,
  ): SessionQuestion | undefined {
    const { tenant, connection, tls } = exchange;
    const { policy } = tenant;
    if (policy.secondFactor === "off" || this.#intake.cookie === undefined || answer === "unanswered") return undefined;
    if (this.#intake.cookie !== connection.cookie || tls !== connection.cookieTls) {
      connection.cookie = ownText(this.#intake.cookie);
      connection.cookieTls = tls;
      const secret = sessionSecretOf(connection.cookie, tls);
      connection.sessionHash = secret === undefined ? undefined : hashSessionSecret(secret);
      connection.session = undefined;
    }
    const hash = connection.sessionHash;
    if (hash === undefined || this.#judgeDoors(tenant, exchange, nowMs).outcome === "blocked") return undefined;
    let session = answer ?? connection.session;
    if (session?.tenant !== tenant.id || nowMs >= session.leaseUntilMs) {
      session = answer ?? this.#options.sessions.peek(tenant.id, hash, nowMs);
    }
    if (session === undefined) return new SessionQuestion(tenant, hash);
    connection.session = session;
    if (session.facts === undefined || !isEnough(policy, session.facts)) return undefined;
    if (nowMs >= session.renewAtMs) this.#options.sessions.renew(session, nowMs);
    exchange.session = session;
    exchange.assertion = session.facts.assertion;
    return undefined;
  }

  #clientOf(connection: Connection): Address | undefined {
    const { facts } = connection;
    if (!facts.forwards) return facts.peer;
    const { forwardedFor } = this.#intake;
    if (connection.client === undefined || forwardedFor !== connection.forwardedFor) {
      connection.forwardedFor = forwardedFor === undefined ? undefined : ownText(forwardedFor);
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
    connection.hostText = ownText(text);
    connection.authority = parseAuthority(connection.hostText);
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
