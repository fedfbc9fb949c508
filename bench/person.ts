/** One person in one browser: enrols an authenticator, and signs in with password and code, by the gate's own pages. */
import { generateSync } from "otplib";
import { Agent, request } from "undici";
import { HOST } from "./job.ts";

const ROOT = "/.sallyport";
const PASSWORD = "correct pony battery staple";

interface Page {
  readonly path: string;
  readonly text: string;
}

export class Person {
  readonly #origin: string;
  readonly #email: string;
  readonly #agent: Agent;
  readonly #cookies = new Map<string, string>();
  #secret = "";

  /** @param port the edge's. @param address of this machine, where the person stands: the gate slows one that many use */
  constructor(port: number, email: string, address: string) {
    this.#origin = `http://127.0.0.1:${port}`;
    this.#email = email;
    this.#agent = new Agent({ connect: { localAddress: address } });
  }

  /** What the admin API creates this user with. */
  get account() {
    return { email: this.#email, password: PASSWORD };
  }

  /** The first sign-in, which enrols. @throws when it does not end in a session */
  async enrol(): Promise<void> {
    const offer = await this.#submit(await this.#identify(), `${ROOT}/enrol/totp/begin`);
    this.#secret = (/<code class="secret">([^<]*)</.exec(offer.text)?.[1] ?? "").replaceAll(" ", "");
    await this.#submit(offer, `${ROOT}/enrol/confirm`, { code: this.#code() });
    this.#expectSession();
  }

  /** A whole sign-in: four requests, one argon2. An authenticator's code is good once, so at most every 30 seconds. @throws when it fails */
  async signIn(): Promise<void> {
    this.#cookies.delete("sallyport");
    await this.#submit(await this.#identify(), `${ROOT}/verify`, { code: this.#code() });
    this.#expectSession();
  }

  async #identify(): Promise<Page> {
    return await this.#submit(await this.#open("GET", `${ROOT}/sign-in`), `${ROOT}/sign-in`, this.account);
  }

  #code(): string {
    return generateSync({ secret: this.#secret });
  }

  #expectSession(): void {
    if (!this.#cookies.has("sallyport")) throw new Error(`${this.#email} was not let in`);
  }

  /** Fills in the page's form that posts to `action`. */
  async #submit({ text, path }: Page, action: string, fields: Readonly<Record<string, string>> = {}): Promise<Page> {
    const form = text.split("<form ").find((one) => one.startsWith(`method="post" action="${action}"`));
    if (form === undefined) {
      const said = text
        .replace(/^.*<main/s, "")
        .replace(/<[^>]*>/g, " ")
        .replace(/\s+/g, " ");
      throw new Error(`${path} has no form for ${action}: ${said.slice(0, 400)}`);
    }
    const hidden = [...form.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)];
    const known = Object.fromEntries(hidden.map(([, name = "", value = ""]) => [name, value]));
    return await this.#open("POST", action, new URLSearchParams({ ...known, ...fields }).toString());
  }

  /** Follows redirects within the gate's own pages. */
  async #open(method: "GET" | "POST", path: string, form?: string): Promise<Page> {
    const { headers, body } = await request(`${this.#origin}${path}`, {
      method,
      dispatcher: this.#agent,
      headers: {
        host: HOST,
        accept: "text/html",
        cookie: [...this.#cookies].map((pair) => pair.join("=")).join("; "),
        ...(form === undefined
          ? {}
          : { "content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin", origin: "null" }),
      },
      ...(form === undefined ? {} : { body: form }),
    });
    for (const field of [headers["set-cookie"] ?? []].flat()) this.#keep(field);
    const text = await body.text();
    const next = headers["location"];
    return typeof next === "string" && next.startsWith(ROOT) ? await this.#open("GET", next) : { path, text };
  }

  #keep(field: string): void {
    const [, name = "", value = ""] = /^([^=]*)=([^;]*)/.exec(field) ?? [];
    if (value === "") this.#cookies.delete(name);
    else this.#cookies.set(name, value);
  }
}
