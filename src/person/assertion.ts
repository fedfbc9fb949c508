/** The `Sallyport-Assertion` (EdDSA JWT, RFC 8037): who is signed in, for the application behind; and the keys that verify it. */
import { exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from "jose";
import { LRUCache } from "lru-cache";
import type { Clock } from "../core/clock.ts";
import { SallyportError } from "../core/errors.ts";
import { type CanonicalHost, newId } from "../core/ids.ts";
import type { Keyring } from "../core/keyring.ts";
import type { SealedKind } from "../core/reseal.ts";
import type { Store } from "../core/store.ts";
import { retryConflicts } from "./retry.ts";
import type { LiveSession } from "./session-record.ts";

/** One document, `assertion` → {@link SigningKeys}. Quiet. */
const SIGNING_KEYS_KIND = "signingkeys";
const DOCUMENT = { kind: SIGNING_KEYS_KIND, id: "assertion" };

const LIFETIME_MS = 5 * 60_000;
/** An assertion is made anew when less than this is left of it. */
const MARGIN_MS = 2 * 60_000;
/** How long keys are believed without reading them again. */
const REREAD_MS = 60_000;
/** A new key is published for this long before it signs, so that no verifier meets one it has not fetched. */
const ANNOUNCED_MS = 15 * 60_000;
const ROTATE_MS = 30 * 24 * 60 * 60_000;
/** A key is published for this long after its successor took over. */
const RETIRED_MS = 60 * 60_000;
const CACHED_ASSERTIONS = 20_000;

/** The signing keys, for a rotation of what seals them. */
export const SEALED_SIGNING_KEYS: SealedKind = {
  kind: SIGNING_KEYS_KIND,
  quiet: true,
  reseal(keyring, { value }) {
    const { keys } = value as SigningKeys;
    return { keys: keys.map((key) => ({ ...key, sealed: keyring.reseal(key.sealed, sealContext(key.kid)) })) };
  },
};

interface StoredKey {
  readonly kid: string;
  readonly public: JWK;
  /** Private JWK, sealed. */
  readonly sealed: string;
  readonly signsFromMs: number;
}

/** Oldest first. */
interface SigningKeys {
  readonly keys: readonly StoredKey[];
}

export interface Assertion {
  readonly token: string;
  readonly untilMs: number;
}

export class Assertions {
  readonly #store: Store;
  readonly #keyring: Keyring;
  readonly #clock: Clock;
  readonly #made = new LRUCache<string, Assertion>({ max: CACHED_ASSERTIONS });
  #keys: { readonly value: SigningKeys; readonly readAtMs: number } | undefined;
  #reading: Promise<SigningKeys> | undefined;
  #signer: { readonly kid: string; readonly key: Awaited<ReturnType<typeof importJWK>> } | undefined;

  constructor(store: Store, keyring: Keyring, clock: Clock) {
    this.#store = store;
    this.#keyring = keyring;
    this.#clock = clock;
  }

  /**
   * An assertion for the application on this host, with at least two minutes left unless the session ends
   * before; made once per session and host while it lasts.
   */
  async forSession(session: LiveSession, host: CanonicalHost): Promise<Assertion> {
    const nowMs = this.#clock.nowMs();
    const cacheKey = `${session.tenant}/${session.id}/${host}/${session.email}/${session.role}`;
    const made = this.#made.get(cacheKey);
    if (made !== undefined && made.untilMs - nowMs > MARGIN_MS && made.untilMs <= session.expiresAtMs) return made;
    const untilMs = Math.min(nowMs + LIFETIME_MS, session.expiresAtMs);
    const { kid, key } = await this.#currentSigner(nowMs);
    const claims = {
      tenant: session.tenant,
      email: session.email,
      ...(session.name === undefined ? {} : { name: session.name }),
      role: session.role,
      amr: session.amr,
      sid: session.id,
      auth_time: Math.floor(session.startedAtMs / 1000),
    };
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: "EdDSA", kid, typ: "JWT" })
      .setIssuer(`https://${host}`)
      .setAudience(host)
      .setSubject(session.user)
      .setIssuedAt(Math.floor(nowMs / 1000))
      .setExpirationTime(Math.floor(untilMs / 1000))
      .sign(key);
    const assertion = { token, untilMs };
    this.#made.set(cacheKey, assertion);
    return assertion;
  }

  /** The public keys (RFC 7517): those that sign, will sign soon, or signed lately. */
  async jwks(): Promise<{ keys: JWK[] }> {
    const { keys } = await this.#load(this.#clock.nowMs());
    return { keys: keys.map((key) => ({ ...key.public, kid: key.kid, alg: "EdDSA", use: "sig" })) };
  }

  async #currentSigner(nowMs: number) {
    const { keys } = await this.#load(nowMs);
    const current = keys.findLast((key) => key.signsFromMs <= nowMs) ?? keys[0];
    if (current === undefined) throw new SallyportError("internal", "there is no signing key");
    if (this.#signer?.kid !== current.kid) {
      const jwk = JSON.parse(this.#keyring.open(current.sealed, sealContext(current.kid)).toString()) as JWK;
      this.#signer = { kid: current.kid, key: await importJWK(jwk, "EdDSA") };
    }
    return this.#signer;
  }

  /** The keys as of at most a minute ago, read once for all who ask at the same time. */
  async #load(nowMs: number): Promise<SigningKeys> {
    if (this.#keys !== undefined && Math.abs(nowMs - this.#keys.readAtMs) < REREAD_MS) return this.#keys.value;
    this.#reading ??= this.#read(nowMs).finally(() => {
      this.#reading = undefined;
    });
    return await this.#reading;
  }

  /** The first reader of all makes the first key, and a late one the next. */
  async #read(nowMs: number): Promise<SigningKeys> {
    const stored = (await this.#store.get(DOCUMENT.kind, DOCUMENT.id))?.value as SigningKeys | undefined;
    const newest = stored?.keys.at(-1);
    if (stored === undefined || newest === undefined) {
      const first = await this.#generate(nowMs);
      return await this.#update((keys) => (keys.length > 0 ? keys : [first]));
    }
    if (nowMs - newest.signsFromMs > ROTATE_MS) {
      const next = await this.#generate(nowMs + ANNOUNCED_MS);
      return await this.#update((keys) => (keys.at(-1)?.kid === newest.kid ? [...keys, next] : keys));
    }
    this.#keys = { value: stored, readAtMs: nowMs };
    return stored;
  }

  async #update(change: (keys: readonly StoredKey[]) => readonly StoredKey[]): Promise<SigningKeys> {
    return await retryConflicts(async () => {
      const nowMs = this.#clock.nowMs();
      const document = await this.#store.get(DOCUMENT.kind, DOCUMENT.id);
      const before = (document?.value as SigningKeys | undefined)?.keys ?? [];
      const after = change(before);
      const value: SigningKeys = { keys: withoutRetired(after, nowMs) };
      // Another node was first: a write of the same keys would only make the next one lose.
      if (after !== before) {
        await this.#store.commit({
          writes: [{ ...DOCUMENT, value, quiet: true }],
          preconditions: [{ ...DOCUMENT, revision: document?.revision ?? 0 }],
        });
      }
      this.#keys = { value, readAtMs: nowMs };
      return value;
    });
  }

  async #generate(signsFromMs: number): Promise<StoredKey> {
    const { publicKey, privateKey } = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
    const kid = newId("key", this.#clock.nowMs());
    const sealed = this.#keyring.seal(JSON.stringify(await exportJWK(privateKey)), sealContext(kid));
    return { kid, public: await exportJWK(publicKey), sealed, signsFromMs };
  }
}

/** Without the keys whose successor took over more than an hour ago. */
function withoutRetired(keys: readonly StoredKey[], nowMs: number): readonly StoredKey[] {
  return keys.filter((_, index) => {
    const successor = keys[index + 1];
    return successor === undefined || successor.signsFromMs + RETIRED_MS > nowMs;
  });
}

function sealContext(kid: string): string {
  return `signing-key/${kid}`;
}
