/** A security key in software: P-256, no attestation, and able to misbehave. */
import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";

/** What to do otherwise than a sound key and browser would. */
export interface Misbehaviour {
  readonly origin?: string;
  readonly rpId?: string;
  readonly challenge?: string;
  readonly userVerified?: boolean;
  readonly userPresent?: boolean;
  readonly counter?: number;
  readonly crossOrigin?: boolean;
  readonly userHandle?: string;
  readonly type?: string;
  readonly format?: string;
  readonly flipSignature?: boolean;
}

export class Authenticator {
  readonly #keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  readonly #id = randomBytes(16);
  readonly #origin: string;
  readonly #rpId: string;
  #userHandle = "";
  counter = 0;

  constructor(host: string) {
    this.#origin = `https://${host}`;
    this.#rpId = host;
  }

  create(options: { readonly challenge: string; readonly user: { readonly id: string } }, odd: Misbehaviour = {}) {
    this.#userHandle = options.user.id;
    const { x, y } = this.#keys.publicKey.export({ format: "jwk" });
    const cose = cbor(
      new Map<number, number | Buffer>([
        [1, 2],
        [3, -7],
        [-1, 1],
        [-2, Buffer.from(x ?? "", "base64url")],
        [-3, Buffer.from(y ?? "", "base64url")],
      ]),
    );
    const length = Buffer.alloc(2);
    length.writeUInt16BE(this.#id.length);
    const credential = Buffer.concat([Buffer.alloc(16), length, this.#id, cose]);
    const authData = Buffer.concat([this.#authenticatorData(odd, 0x40), credential]);
    const statement = odd.format === undefined ? new Map() : new Map([["x5c", [Buffer.from("certificate")]]]);
    const attestation = new Map<string, unknown>([
      ["fmt", odd.format ?? "none"],
      ["attStmt", statement],
      ["authData", authData],
    ]);
    return this.#response({
      clientDataJSON: this.#clientData(odd.type ?? "webauthn.create", options.challenge, odd).toString("base64url"),
      attestationObject: cbor(attestation).toString("base64url"),
      transports: ["usb"],
    });
  }

  get(options: { readonly challenge: string }, odd: Misbehaviour = {}) {
    this.counter = odd.counter ?? this.counter + 1;
    const clientData = this.#clientData(odd.type ?? "webauthn.get", options.challenge, odd);
    const authData = this.#authenticatorData(odd, 0);
    const signed = Buffer.concat([authData, createHash("sha256").update(clientData).digest()]);
    const signature = sign("sha256", signed, this.#keys.privateKey);
    if (odd.flipSignature === true) signature[signature.length - 1] = (signature.at(-1) ?? 0) ^ 1;
    return this.#response({
      clientDataJSON: clientData.toString("base64url"),
      authenticatorData: authData.toString("base64url"),
      signature: signature.toString("base64url"),
      userHandle: odd.userHandle ?? this.#userHandle,
    });
  }

  #response(response: object) {
    const id = this.#id.toString("base64url");
    return { id, rawId: id, type: "public-key", clientExtensionResults: {}, response };
  }

  #clientData(type: string, challenge: string, odd: Misbehaviour): Buffer {
    const { origin = this.#origin, crossOrigin = false } = odd;
    return Buffer.from(JSON.stringify({ type, challenge: odd.challenge ?? challenge, origin, crossOrigin }));
  }

  #authenticatorData(
    { rpId = this.#rpId, userVerified = true, userPresent = true }: Misbehaviour,
    more: number,
  ): Buffer {
    const flags = (userPresent ? 1 : 0) | (userVerified ? 4 : 0) | more;
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(this.counter);
    return Buffer.concat([createHash("sha256").update(rpId).digest(), Buffer.from([flags]), counter]);
  }
}

/** As much of CBOR (RFC 8949) as an attestation needs. */
function cbor(value: unknown): Buffer {
  if (typeof value === "number") return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === "string") return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  if (Array.isArray(value)) return Buffer.concat([head(4, value.length), ...value.map(cbor)]);
  if (value instanceof Map) {
    return Buffer.concat([head(5, value.size), ...[...value].flatMap(([key, item]) => [cbor(key), cbor(item)])]);
  }
  throw new Error("not encoded here");
}

function head(major: number, size: number): Buffer {
  if (size < 24) return Buffer.from([(major << 5) | size]);
  return size < 256 ? Buffer.from([(major << 5) | 24, size]) : Buffer.from([(major << 5) | 25, size >> 8, size & 255]);
}
