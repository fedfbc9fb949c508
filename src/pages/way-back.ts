/** Remembers where a browser wanted to go, from the gate's redirect to the first form: sealed, so that nothing is stored. */
import type { Clock } from "../core/clock.ts";
import { digest } from "../core/ids.ts";
import type { Keyring } from "../core/keyring.ts";
import type { Visit } from "../person/visit.ts";
import { wayBackPath } from "../person/way-back.ts";

/** As long as somebody may leave the sign-in page open and still end where they wanted to go. */
const LIFETIME_MS = 60 * 60_000;
const MAX_LENGTH = 4096;

/**
 * An id for a path that only control can read or make, worth something for an hour, at one tenant, in one
 * browser. Anybody on the internet can cause a redirect, so it must cost no write; from the first post on,
 * the path is in the challenge.
 */
export class WaysBack {
  readonly #keyring: Keyring;
  readonly #clock: Clock;

  constructor(keyring: Keyring, clock: Clock) {
    this.#keyring = keyring;
    this.#clock = clock;
  }

  /** @returns `undefined` when the target is the front page, or could lead off this host */
  seal(visit: Visit, browser: string, target: string): string | undefined {
    const path = wayBackPath(target);
    if (path === "/") return undefined;
    const untilMs = this.#clock.nowMs() + LIFETIME_MS;
    return this.#keyring.seal(JSON.stringify([untilMs, path]), contextOf(visit, browser));
  }

  /** The path; `/` for anything expired, of another browser or tenant, or made up. */
  open(visit: Visit, id: string | undefined): string {
    const { browser } = visit.cookies;
    if (id === undefined || id.length > MAX_LENGTH || browser === undefined) return "/";
    try {
      const text = this.#keyring.open(id, contextOf(visit, browser)).toString();
      const [untilMs, path] = JSON.parse(text) as [number, string];
      return this.#clock.nowMs() < untilMs ? wayBackPath(path) : "/";
    } catch {
      return "/";
    }
  }
}

function contextOf(visit: Visit, browser: string): string {
  return `way-back/${visit.tenant.id}/${digest(browser)}`;
}
