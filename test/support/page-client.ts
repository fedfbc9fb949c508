/** A browser without a screen: keeps cookies, says where its posts come from, and reads the forms of pages. */
import { request as requestClear } from "node:http";
import { request as requestSecure } from "node:https";
import { text } from "node:stream/consumers";

export interface PageAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface PageForm {
  readonly action: string;
  readonly fields: Readonly<Record<string, string>>;
}

export class PageClient {
  readonly #origin: URL;
  readonly cookies = new Map<string, string>();

  /** @param origin as in `http://happyfeet.localhost:8080`; the name is not looked up */
  constructor(origin: string) {
    this.#origin = new URL(origin);
  }

  async get(path: string, headers: Record<string, string> = {}, method = "GET"): Promise<PageAnswer> {
    return await this.#send(method, path, { accept: "text/html", ...headers });
  }

  /** Posts as a form of the page itself would. */
  async post(path: string, fields: Record<string, string> | string, headers: Record<string, string> = {}) {
    const body = typeof fields === "string" ? fields : new URLSearchParams(fields).toString();
    const form = {
      "content-type": "application/x-www-form-urlencoded",
      "sec-fetch-site": "same-origin",
      origin: "null",
    };
    return await this.#send("POST", path, { accept: "text/html", ...form, ...headers }, body);
  }

  /** Fills in a page's form that posts to this path, and sends it. */
  async submit(page: PageAnswer, action: string, fields: Record<string, string> = {}): Promise<PageAnswer> {
    const form = formsOf(page).find((one) => one.action === action);
    if (form === undefined) throw new Error(`no form that posts to ${action}`);
    return await this.post(action, { ...form.fields, ...fields });
  }

  /** Follows a redirect. */
  async follow(answer: PageAnswer): Promise<PageAnswer> {
    return await this.get(String(answer.headers["location"]));
  }

  async #send(method: string, path: string, headers: Record<string, string>, body?: string): Promise<PageAnswer> {
    const { protocol, host, hostname, port } = this.#origin;
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const { promise, resolve, reject } = Promise.withResolvers<PageAnswer>();
    const send = protocol === "https:" ? requestSecure : requestClear;
    const outgoing = send(
      {
        host: "127.0.0.1",
        port,
        servername: hostname,
        rejectUnauthorized: false,
        method,
        path,
        agent: false,
        headers: { host, ...(cookie === "" ? {} : { cookie }), ...headers },
      },
      (response) => {
        this.#keep(response.headers["set-cookie"] ?? []);
        const { statusCode: status = 0, headers: fields } = response;
        text(response).then((content) => resolve({ status, headers: fields, body: content }), reject);
      },
    );
    outgoing.once("error", reject).end(body);
    return await promise;
  }

  #keep(setCookies: readonly string[]): void {
    for (const field of setCookies) {
      const [pair = "", ...attributes] = field.split("; ");
      const [name = "", value = ""] = pair.split("=", 2);
      if (attributes.includes("Max-Age=0")) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
  }
}

/** The forms of a page, with the fields that they send unasked. */
export function formsOf({ body }: PageAnswer): PageForm[] {
  return [...body.matchAll(/<form method="post" action="([^"]*)"[^>]*>(.*?)<\/form>/gs)].map(
    ([, action = "", inner = ""]) => {
      const inputs = [...inner.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)];
      return { action, fields: Object.fromEntries(inputs.map(([, name = "", value = ""]) => [name, value])) };
    },
  );
}
