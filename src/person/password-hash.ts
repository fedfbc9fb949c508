/** Passwords at rest: argon2id (RFC 9106) as PHC strings, computed off the main thread, few at a time. */
import { randomBytes, timingSafeEqual } from "node:crypto";
import { SallyportError } from "../core/errors.ts";
import { HashThread } from "./hash-thread.ts";

export interface Argon2Cost {
  /** KiB. */
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
}

/**
 * One of the five that OWASP's password storage cheat sheet names as equally strong; 21 ms on a small server. 46 MiB
 * in one pass takes 53, of which 23 are the kernel's: so large a block is handed back and cleared anew each time.
 */
const ARGON2_COST: Argon2Cost = { memory: 19_456, passes: 2, parallelism: 1 };

const NONCE_BYTES = 16;
const TAG_BYTES = 32;
const PHC = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,86})$/;

/** Threads, so that a storm of sign-ins leaves memory alone. */
const CONCURRENT = 2;
/** Waiting: about two seconds of work. Whoever comes later is told to try again, known people at twice as many. */
const WAITING = 200;

type Waiter = (thread: HashThread) => void;

/** When to come back after finding too many waiting. */
export const BUSY_MS = 5_000;

/** Hashes and checks passwords, a bounded number at once. */
export class PasswordHasher {
  readonly #cost: Argon2Cost;
  /** Who waits for a thread: those who go first, then all others. */
  readonly #waiting: readonly [first: Waiter[], other: Waiter[]] = [[], []];
  /** Threads without work, the one to take next last. */
  readonly #idle = Array.from({ length: CONCURRENT }, () => new HashThread());
  /** Checked against when there is no password, so that no user and a wrong password take the same time. */
  readonly #decoy: string;

  constructor(cost: Argon2Cost = ARGON2_COST) {
    this.#cost = cost;
    this.#decoy = toPhc(cost, randomBytes(NONCE_BYTES), randomBytes(TAG_BYTES));
  }

  /**
   * @param password as `normalisePassword` returns it
   * @throws SallyportError `limit_reached` when too many wait
   */
  async hash(password: string): Promise<string> {
    const nonce = randomBytes(NONCE_BYTES);
    const derived = await this.#derive(password, nonce, this.#cost, TAG_BYTES, true);
    if (derived === undefined) {
      const detail = "too many sign-ins now; try again shortly";
      throw new SallyportError("limit_reached", detail, { retryAfterMs: BUSY_MS });
    }
    return toPhc(this.#cost, nonce, derived);
  }

  /**
   * Whether this is the password; `false`, after the same work, when `phc` is `undefined`.
   * @param first goes before all others who wait, so that a storm of strangers does not keep known people out
   * @returns `undefined` when too many wait: nothing was checked
   * @throws SallyportError `store_corrupt` for a stored text that is no argon2id string
   */
  async verify(phc: string | undefined, password: string, first = false): Promise<boolean | undefined> {
    const { cost, nonce, tag } = parsePhc(phc ?? this.#decoy);
    const derived = await this.#derive(password, nonce, cost, tag.length, first);
    return derived && timingSafeEqual(derived, tag) && phc !== undefined;
  }

  /** Whether a hash was made at another cost than today's: the next successful sign-in replaces it. */
  isOutdated(phc: string): boolean {
    const { cost } = parsePhc(phc);
    const { memory, passes, parallelism } = this.#cost;
    return cost.memory !== memory || cost.passes !== passes || cost.parallelism !== parallelism;
  }

  async #derive(message: string, nonce: Buffer, cost: Argon2Cost, tagLength: number, first: boolean) {
    const thread = this.#idle.pop() ?? (await this.#queue(first));
    if (thread === undefined) return undefined;
    try {
      return await thread.derive({ message, nonce, ...cost, tagLength });
    } finally {
      // It goes straight to the next in line, so that nobody slips in between.
      const next = this.#waiting[0].shift() ?? this.#waiting[1].shift();
      if (next === undefined) this.#idle.push(thread);
      else next(thread);
    }
  }

  async #queue(first: boolean): Promise<HashThread | undefined> {
    const [known, others] = this.#waiting;
    if (known.length + others.length >= (first ? 2 * WAITING : WAITING)) return undefined;
    return await new Promise((resolve) => (first ? known : others).push(resolve));
  }
}

function toPhc({ memory, passes, parallelism }: Argon2Cost, nonce: Buffer, tag: Buffer): string {
  const base64 = (bytes: Buffer) => bytes.toString("base64").replace(/=+$/, "");
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${base64(nonce)}$${base64(tag)}`;
}

function parsePhc(phc: string): { cost: Argon2Cost; nonce: Buffer; tag: Buffer } {
  const [, memory, passes, parallelism, nonce, tag] = PHC.exec(phc) ?? [];
  if (nonce === undefined || tag === undefined) {
    throw new SallyportError("store_corrupt", "a stored password hash cannot be read");
  }
  return {
    cost: { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) },
    nonce: Buffer.from(nonce, "base64"),
    tag: Buffer.from(tag, "base64"),
  };
}
