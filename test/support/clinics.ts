/** Two clinics behind the whole gate, visited by browsers from wherever a test says: real edge, control, mail and application. */
import { type IncomingHttpHeaders, request } from "node:http";
import type { Browser, BrowserContext, Page } from "playwright-core";
import type { Test } from "tap";
import { parseAddress } from "../../src/core/address.ts";
import { freePort, Gate, startUpstream } from "./gate.ts";
import { PASSWORD, totpCode } from "./person-door.ts";
import { type SmtpServer, startSmtp } from "./smtp.ts";

export const CLINIC = { id: "happy-feet", name: "Happy Feet Podiatry", host: "happyfeet.localhost" };
export const OTHER_CLINIC = { id: "bright-smile", name: "Bright Smile Dental", host: "brightsmile.localhost" };
/** Where a request comes from unless a test says otherwise. */
export const HOME = "203.0.113.7";
export const OWNER = "olivia@clinics.example";

export interface Clinics {
  readonly gate: Gate;
  readonly mails: SmtpServer;
  /** Of the first clinic, as a browser sees it. */
  readonly origin: string;
  readonly otherOrigin: string;
  /** A browser somewhere else: an IPv4 or IPv6 address. */
  from(browser: Browser, address: string, options?: Parameters<Browser["newContext"]>[0]): Promise<BrowserContext>;
  admin<Body>(method: string, path: string, body?: unknown): Promise<Body>;
  /** What the first clinic's list holds. */
  list(): Promise<Entry[]>;
}

export interface Entry {
  readonly id: string;
  readonly cidr: string;
  readonly label: string;
  readonly kind: string;
}

export interface ClinicsOptions {
  readonly policy?: Readonly<Record<string, unknown>>;
  readonly tenant?: Readonly<Record<string, unknown>>;
}

/** Both clinics keep both doors shut, and share one owner. Ends with the test. */
export async function startClinics(t: Test, { policy, tenant }: ClinicsOptions = {}): Promise<Clinics> {
  const [application, mails, port] = [await startApplication(t), await startSmtp(t), freePort()];
  const clinic = ({ id, name, host }: typeof CLINIC) => ({ id, name, hosts: [host], upstreams: [application] });
  const gate = new Gate(t, {
    settings: {
      publicUrl: `http://{host}:${port}`,
      edge: { listen: `127.0.0.1:${port}`, workers: 0, trustedProxies: ["127.0.0.1/32"], drain: "1s" },
      mail: {
        transport: "smtp",
        from: "gate@sallyport.example",
        smtp: { host: "127.0.0.1", port: mails.port, security: "none" },
      },
      tenants: [{ ...clinic(CLINIC), ...tenant, ...(policy && { policy }) }, clinic(OTHER_CLINIC)],
    },
  });
  await gate.ready();
  const admin = async <Body>(method: string, path: string, body?: unknown): Promise<Body> => {
    const answer = await gate.admin(method, path, body);
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (answer.status === 204 ? undefined : await answer.json()) as Body;
  };
  for (const { id } of [CLINIC, OTHER_CLINIC]) {
    await admin("POST", `/v1/tenants/${id}/users`, { email: OWNER, name: "Olivia", role: "owner", password: PASSWORD });
  }
  return {
    gate,
    mails,
    origin: `http://${CLINIC.host}:${port}`,
    otherOrigin: `http://${OTHER_CLINIC.host}:${port}`,
    admin,
    from: async (browser, address, options) => {
      const context = await browser.newContext({ locale: "en-GB", timezoneId: "Europe/London", ...options });
      await stand(context, address);
      return context;
    },
    list: async () => (await admin<{ items: Entry[] }>("GET", `/v1/tenants/${CLINIC.id}/allowlist?limit=100`)).items,
  };
}

/** Moves a browser, with its cookies, to another address. */
export async function stand(context: BrowserContext, address: string): Promise<void> {
  if (parseAddress(address) === undefined) throw new Error(`not an address: ${address}`);
  await context.setExtraHTTPHeaders({ "X-Forwarded-For": address });
}

/** Signs in with password and authenticator, which is set up first where there is none. @returns its secret */
export async function signIn(view: Page, origin: string, email = OWNER, secret?: string): Promise<string> {
  await view.goto(`${origin}/.sallyport/sign-in`);
  return await signInHere(view, email, secret);
}

/** The same on the sign-in page that is open. */
export async function signInHere(view: Page, email = OWNER, secret?: string): Promise<string> {
  await view.getByLabel("E-mail").fill(email);
  await view.getByLabel("Password").fill(PASSWORD);
  await view.getByRole("button", { name: "Continue" }).click();
  if (secret === undefined) await view.getByRole("button", { name: "Set up an app" }).click();
  const shown = secret ?? (await view.locator(".secret").textContent())?.replaceAll(" ", "") ?? "";
  // The code that set the authenticator up is used: the next step's passes too, since clocks differ.
  await view.getByLabel("Code").fill(totpCode(shown, Date.now(), secret === undefined ? 0 : 1));
  await view.locator("main button[type=submit]").first().click();
  if (secret === undefined) await view.getByRole("link", { name: /I have kept them/ }).click();
  return shown;
}

/** The clinic's application, with a page that stays open: `/stream` goes on until somebody ends it. */
async function startApplication(t: Test): Promise<string> {
  const application = await startUpstream(t, (request, response) => {
    response.writeHead(200, { "content-type": "text/html" });
    if (request.url !== "/stream") return void response.end("<title>Patients</title><h1>Patients</h1>");
    response.write("begun\n");
    request.socket.on("error", () => {});
  });
  return application;
}

/** One request to the first clinic, as a program makes it. */
export function ask(clinics: Clinics, method: string, path: string, headers: Record<string, string> = {}) {
  const { promise, resolve, reject } = Promise.withResolvers<{
    status: number;
    headers: IncomingHttpHeaders;
    body: string;
  }>();
  request(target(clinics, path, { "x-forwarded-for": HOME, ...headers }, method), async (response) => {
    const parts: Buffer[] = await response.toArray();
    const { statusCode: status = 0, headers } = response;
    resolve({ status, headers, body: Buffer.concat(parts).toString() });
  })
    .once("error", reject)
    .end();
  return promise;
}

/** A download from the application that goes on until the gate ends it. @throws when it does not begin */
export async function openStream(clinics: Clinics, address: string): Promise<{ readonly ended: Promise<void> }> {
  const begun = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  request(target(clinics, "/stream", { "x-forwarded-for": address }), (response) => {
    if (response.statusCode !== 200) begun.reject(new Error(`status ${response.statusCode}`));
    response.once("data", () => begun.resolve()).once("close", () => ended.resolve());
    response.on("error", () => {});
  })
    .once("error", begun.reject)
    .end();
  await begun.promise;
  return { ended: ended.promise };
}

function target({ origin }: Clinics, path: string, headers: Record<string, string>, method = "GET") {
  const { host, port } = new URL(origin);
  return { host: "127.0.0.1", port, path, method, headers: { host, ...headers } };
}
