/** What is counted of each request, and which are listed for operations to look up. */
import type { Clock } from "../core/clock.ts";
import type { Logger } from "../core/log.ts";
import { pathOf } from "../core/target.ts";
import type { ClientRequest } from "./client-message.ts";
import type { Exchange } from "./exchange.ts";
import { markOf, REFUSALS, type Refusal, type RefusalCode } from "./refusals.ts";
import { newReference } from "./request-ids.ts";
import type { Mark, Tally } from "./tally.ts";

const PAGES: Mark = Object.freeze({ outcome: "pages", reason: "pages", wouldBlock: false });
const LISTED_PATH_LENGTH = 256;

export class RequestTally {
  readonly #tally: Tally;
  readonly #clock: Clock;
  readonly #log: Logger;

  constructor(tally: Tally, clock: Clock, log: Logger) {
    this.#tally = tally;
    this.#clock = clock;
    this.#log = log;
  }

  /** Hot path. */
  admitted(req: ClientRequest, exchange: Exchange): void {
    const { tenant, verdict } = exchange;
    this.#tally.count(tenant.id, verdict ?? PAGES);
    if (verdict?.wouldBlock === true) this.#list(req, exchange, verdict.reason, newReference());
  }

  /** @returns the reference by which it is told to the client */
  refused(req: ClientRequest, refusal: Refusal): string {
    const reference = newReference();
    this.#tally.count(refusal.tenant?.id, refusal.mark);
    if (REFUSALS[refusal.code].listed) this.#list(req, refusal, refusal.mark.reason, reference);
    return reference;
  }

  /** Somebody who is sent to the sign-in. */
  sentToSignIn({ tenant, mark }: Refusal): void {
    this.#tally.count(tenant?.id, mark);
  }

  /** Bytes that are no request of any tenant's. */
  broken(code: RefusalCode): void {
    this.#tally.count(undefined, markOf(code));
  }

  #list(
    req: ClientRequest,
    { tenant, address }: Pick<Refusal, "tenant" | "address">,
    reason: string,
    reference: string,
  ): void {
    const denial = {
      at: this.#clock.nowMs(),
      reference,
      ...(tenant !== undefined && { tenant: tenant.id }),
      address: address?.text ?? "",
      method: req.method ?? "",
      path: listedPath(req.url ?? ""),
      reason,
    };
    this.#tally.deny(denial);
    this.#log.debug(denial, "denied");
  }
}

/** Without query; the paths of our own pages, however they are spelt, hold tokens, so only where they begin. */
function listedPath(target: string): string {
  const path = pathOf(target);
  return /sallyport/i.test(path) ? "/.sallyport/…" : path.slice(0, LISTED_PATH_LENGTH);
}
