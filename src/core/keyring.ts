/** Seals secrets before they reach the store, so that whoever operates it reads none; keys rotate without an outage. */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { SallyportError } from "./errors.ts";

const CIPHER = "aes-256-gcm";
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const FORMAT = "s1";

interface Key {
  readonly id: string;
  readonly master: Uint8Array;
  readonly seal: Uint8Array;
}

/**
 * AES-256-GCM (NIST SP 800-38D) under keys derived from the master keys by HKDF-SHA-256 (RFC 5869). The
 * first master key is primary and seals; the others only open what was sealed before a rotation.
 *
 * A sealed text is `s1.{key id}.{base64url of nonce, ciphertext, tag}`. The nonce is random (96 bits), so one
 * key is good for 2^32 seals. The context, the format and the key id are authenticated: what was sealed as
 * one user's secret does not open as another's.
 */
export class Keyring {
  readonly #keys: readonly [Key, ...Key[]];

  /** @param masters 32 random bytes each, the primary first. @throws SallyportError "config_invalid" */
  constructor(masters: readonly Uint8Array[]) {
    for (const master of masters) {
      if (master.length !== KEY_BYTES) throw invalidKey(`a secret key has ${master.length} bytes`);
    }
    const [primary, ...older] = masters.map(toKey);
    if (primary === undefined) throw invalidKey("there is no secret key");
    this.#keys = [primary, ...older];
    if (new Set(this.#keys.map((key) => key.id)).size < masters.length) throw invalidKey("a secret key is given twice");
  }

  /** The primary's public name; says nothing about the key. */
  get primaryKeyId(): string {
    return this.#keys[0].id;
  }

  /** @param context what this is and whose, as in `totp/{tenant}/{user}/{factor}`; needed again to open. */
  seal(plain: Uint8Array | string, context: string): string {
    const key = this.#keys[0];
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, key.seal, nonce).setAAD(associatedData(key, context));
    const sealed = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    return `${FORMAT}.${key.id}.${sealed.toString("base64url")}`;
  }

  /** @throws SallyportError "seal_invalid", the same for an unknown key, another context and any changed bit. */
  open(sealed: string, context: string): Buffer {
    const key = this.#keyOf(sealed);
    const text = sealed.slice(sealed.lastIndexOf(".") + 1);
    const bytes = Buffer.from(text, "base64url");
    if (key === undefined || bytes.length < NONCE_BYTES + TAG_BYTES) throw sealInvalid();
    if (bytes.toString("base64url") !== text) throw sealInvalid();
    try {
      const decipher = createDecipheriv(CIPHER, key.seal, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
        .setAAD(associatedData(key, context))
        .setAuthTag(bytes.subarray(-TAG_BYTES));
      return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
    } catch {
      throw sealInvalid();
    }
  }

  /** The same under the primary key; unchanged if it is already. @throws SallyportError "seal_invalid" as {@link open} */
  reseal(sealed: string, context: string): string {
    return this.#keyOf(sealed) === this.#keys[0] ? sealed : this.seal(this.open(sealed, context), context);
  }

  /** 32 bytes for one purpose, from the primary key; they say nothing about the keys of other purposes. */
  deriveKey(purpose: string): Uint8Array {
    return derive(this.#keys[0].master, `purpose/${purpose}`);
  }

  /** {@link deriveKey} from every key, the primary's first: for checking what was made before a rotation. */
  deriveKeys(purpose: string): Uint8Array[] {
    return this.#keys.map((key) => derive(key.master, `purpose/${purpose}`));
  }

  #keyOf(sealed: string): Key | undefined {
    const [format, id, , more] = sealed.split(".", 4);
    if (format !== FORMAT || more !== undefined) return undefined;
    return this.#keys.find((key) => key.id === id);
  }
}

function toKey(master: Uint8Array): Key {
  const id = Buffer.from(derive(master, "key-id")).toString("base64url").slice(0, 8);
  return { id, master: Uint8Array.from(master), seal: derive(master, "seal") };
}

function derive(master: Uint8Array, info: string): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", master, new Uint8Array(), `sallyport/${info}`, KEY_BYTES));
}

function associatedData(key: Key, context: string): Buffer {
  return Buffer.from(`${FORMAT}.${key.id}.${context}`);
}

function invalidKey(reason: string): SallyportError {
  const hint = "openssl rand -base64 32";
  const message = `the secret key must be 32 bytes in base64 (make one with: ${hint}), or several with commas between; ${reason}`;
  return new SallyportError("config_invalid", message);
}

function sealInvalid(): SallyportError {
  return new SallyportError(
    "seal_invalid",
    "a sealed secret does not open: it was changed, or its key is not in the ring",
  );
}
