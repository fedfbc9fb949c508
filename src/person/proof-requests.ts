/** What a challenge asks of the person's own things: a code by text message, a passkey's signature. */
import type { Store } from "../core/store.ts";
import { accountOf, readChallenge, withShares, writeChallenge } from "./challenge.ts";
import type { Errands } from "./errands.ts";
import { usableFactors } from "./factor.ts";
import { passkeyRequest } from "./passkeys.ts";
import { type Share, takeShares } from "./shares.ts";
import type { SmsCodes, SmsSending } from "./sms-factor.ts";
import { placeOf, type Visit } from "./visit.ts";

export interface ProofRequestsOptions {
  readonly store: Store;
  readonly sms: SmsCodes;
  readonly errands: Errands;
}

export class ProofRequests {
  readonly #options: ProofRequestsOptions;

  constructor(options: ProofRequestsOptions) {
    this.#options = options;
  }

  /** Sends a code to one of the person's numbers. Sending again forgives no failure. */
  async sendSms(visit: Visit, id: unknown, factor?: unknown): Promise<SmsSending | { readonly kind: "gone" }> {
    const { store, sms, errands } = this.#options;
    const challenge = await readChallenge(store, visit, id);
    if (challenge === undefined || challenge.record.stage !== "factor") return { kind: "gone" };
    const proven = challenge.record.epoch > 0;
    const shares: readonly Share[] = proven ? [] : [["sms", placeOf(visit.address)]];
    const retryAfterMs = await takeShares(store, shares);
    if (retryAfterMs > 0) return { sent: false, reason: "limit", retryAfterMs };
    const account = await accountOf(store, visit, challenge.record);
    const usable =
      account === undefined ? [] : usableFactors(visit.tenant.policy, account.credential.factors, visit.host);
    const numbers = usable.filter((candidate) => candidate.kind === "sms");
    const chosen = numbers.find((candidate) => candidate.id === factor) ?? numbers[0];
    const { record } = withShares(challenge, shares);
    await store.commit(writeChallenge(challenge, { ...record, smsFactor: chosen?.id ?? "" }));
    if (proven) {
      if (account === undefined || chosen === undefined) return { sent: false, reason: "unavailable", retryAfterMs: 0 };
      return await sms.send(visit.tenant, account.id, chosen.number);
    }
    // Nothing is proven yet: the answer and its delay are the same for a login without a number, or for none.
    errands.run(async () => {
      if (account !== undefined && chosen !== undefined) await sms.send(visit.tenant, account.id, chosen.number);
    });
    return { sent: true };
  }

  /**
   * Begins a passkey ceremony. At the first step the passkey is the only one: it must verify its user, and
   * names the account itself.
   */
  async requestPasskey(visit: Visit, id: unknown) {
    const { store } = this.#options;
    const challenge = await readChallenge(store, visit, id);
    if (challenge === undefined || challenge.record.stage === "enrol") return undefined;
    if (!visit.tenant.policy.factors.includes("passkey")) return undefined;
    const alone = challenge.record.stage === "identify";
    const proven = challenge.record.epoch > 0 ? await accountOf(store, visit, challenge.record) : undefined;
    const options = await passkeyRequest(visit, proven, alone);
    const ceremony = { challenge: options.challenge, alone };
    await store.commit(writeChallenge(challenge, { ...challenge.record, ceremony }));
    return options;
  }
}
