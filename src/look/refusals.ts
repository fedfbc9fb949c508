/** The pages that the edge sends by itself, control being there or not: complete in themselves, and cheap. */
import type { Branding } from "../core/tenant.ts";
import { doors } from "./doors.ts";
import { escapeHtml, type Html, html } from "./html.ts";
import { type Language, type PlainKey, type Translate, translator } from "./language.ts";
import { type PageTenant, page } from "./page.ts";

/** A response ready to send but for `Content-Length`. `headers` is frozen and shared between calls. */
export interface RenderedPage {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface BlockPageOptions {
  readonly tenantName: string;
  /** The tenant's own object, not a copy: the page is kept ready under its identity. */
  readonly branding: Branding;
  /** As the gate sees it. */
  readonly address: string;
  readonly reference: string;
  readonly lang: Language;
  /** Whether a person who signs in may add the place (policy `selfAllow` is not `nobody`). */
  readonly canSelfAllow: boolean;
}

export interface RefusalOptions {
  readonly reference: string;
  readonly lang: Language;
  readonly tenant?: PageTenant | undefined;
  /** Whether "try again" leads anywhere: not where a form was sent. Without it, it does. */
  readonly repeatable?: boolean;
}

/** A page cut where the address and the reference go. */
interface Template {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly parts: readonly string[];
  /** What follows each part but the last. */
  readonly holes: readonly ("address" | "reference")[];
}

// Private-use characters stand for what differs from one request to the next.
const ADDRESS = "\u{e000}";
const REFERENCE = "\u{e001}";
const RETRY_AFTER_SECONDS = "10";

const templates = new WeakMap<Branding, Map<string, Template>>();
const NO_BRANDING: Branding = {};

/**
 * The location door's refusal (403): the address seen, the reference, the way out.
 *
 * Hot path under attack: one look-up and one join; the template is made once per tenant and language.
 */
export function renderBlockPage(options: BlockPageOptions): RenderedPage {
  const { tenantName: name, branding, lang, canSelfAllow } = options;
  const template = remember(branding, `block ${lang} ${canSelfAllow} ${name}`, () =>
    templateOf(403, lang, "block.title", blockBody({ name, branding }, canSelfAllow, translator(lang)), {
      name,
      branding,
    }),
  );
  return fill(template, options.reference, options.address);
}

/** The gate cannot know right now (503): nothing unknown is let in. */
export function renderUnavailablePage(options: RefusalOptions): RenderedPage {
  return refusal(503, "unavailable.heading", "unavailable.body", options, true);
}

/** No tenant has this host (421); shows nothing of any tenant. */
export function renderUnknownHostPage(options: Pick<RefusalOptions, "reference" | "lang">): RenderedPage {
  return refusal(421, "unknownHost.heading", "unknownHost.body", options, false);
}

/** A network asks for the gate's own pages too often (429); who reads this need not have done so. */
export function renderBusyNetworkPage(options: RefusalOptions, waitSeconds: number): RenderedPage {
  return refusal(429, "error.network.heading", "error.network.body", options, true, waitSeconds);
}

const ERRORS = {
  400: ["error.badRequest.heading", "error.badRequest.body", false],
  403: ["error.forbidden.heading", "error.forbidden.body", false],
  404: ["error.notFound.heading", "error.notFound.body", false],
  405: ["error.badRequest.heading", "error.badRequest.body", false],
  429: ["error.tooMany.heading", "error.tooMany.body", true],
  500: ["error.internal.heading", "error.internal.body", true],
  502: ["error.badGateway.heading", "error.badGateway.body", true],
  504: ["error.gatewayTimeout.heading", "error.gatewayTimeout.body", true],
} as const satisfies Record<number, readonly [PlainKey, PlainKey, boolean]>;

/** A status that has a page of its own; any other 4xx reads as 400, any other 5xx as 500. */
export function renderErrorPage(status: number, options: RefusalOptions): RenderedPage {
  const known = status in ERRORS ? (status as keyof typeof ERRORS) : status >= 500 ? 500 : 400;
  const [heading, body, again] = ERRORS[known];
  return refusal(status, heading, body, options, again);
}

function refusal(
  status: number,
  heading: PlainKey,
  body: PlainKey | "error.network.body",
  options: RefusalOptions,
  again: boolean,
  waitSeconds = 0,
): RenderedPage {
  const { lang, tenant, repeatable = true } = options;
  const key = `${status} ${lang} ${repeatable} ${waitSeconds} ${tenant?.name ?? ""}`;
  const template = remember(tenant?.branding ?? NO_BRANDING, key, () => {
    const text = translator(lang);
    const wait = text("wait.seconds", { count: waitSeconds });
    const content = html`<section class="panel"><h1>${text(heading)}</h1><p>${body === "error.network.body" ? text(body, { wait }) : text(body)}</p>
<dl class="fact"><div><dt>${text("page.reference")}</dt><dd>${REFERENCE}</dd></div></dl>
${again && repeatable && html`<p class="actions"><a class="button" href="">${text("page.tryAgain")}</a></p>`}</section>`;
    return templateOf(status, lang, heading, content, tenant);
  });
  return fill(template, options.reference, "");
}

function blockBody(tenant: PageTenant, canSelfAllow: boolean, text: Translate): Html {
  const names = { tenant: tenant.name };
  return html`<section class="panel">${doors(text, "shut", "later")}
<h1>${text("block.title")}</h1>
<p>${text("block.why", names)}</p>
<dl class="fact"><div><dt>${text("page.address")}</dt><dd>${ADDRESS}</dd></div><div><dt>${text("page.reference")}</dt><dd>${REFERENCE}</dd></div></dl>
${canSelfAllow && html`<p>${text("block.signInHint")}</p><p class="actions"><a class="button" href="/.sallyport/sign-in">${text("block.signIn")}</a></p>`}
<div class="way-out"><h2>${text(canSelfAllow ? "block.askHeading" : "block.askOnlyHeading")}</h2>
<p>${text("block.request", names)}</p>
<p class="actions"><a class="button secondary" href="/.sallyport/ask?reference=${REFERENCE}">${text("ask.open")}</a></p>
<p>${text("block.ask", names)}</p>${contacts(tenant.branding, text)}</div></section>`;
}

function contacts({ supportEmail, supportPhone }: Branding, text: Translate): Html | false {
  if (supportEmail === undefined && supportPhone === undefined) return false;
  const subject = text("block.mailSubject", { address: ADDRESS });
  const message = text("block.mailBody", { address: ADDRESS, reference: REFERENCE });
  const mail =
    supportEmail &&
    `mailto:${encodeURIComponent(supportEmail).replace("%40", "@")}?subject=${inUrl(subject)}&body=${inUrl(message)}`;
  return html`<p class="contacts">${mail && html`<a href="${mail}">${text("block.mail")}</a>`}${
    supportPhone &&
    html`<a href="tel:${supportPhone.replace(/[^+0-9]/g, "")}">${text("block.call", { phone: supportPhone })}</a>`
  }</p>`;
}

/** Percent-encodes all but the stand-ins, whose values consist of characters that a query may hold. */
function inUrl(text: string): string {
  return encodeURIComponent(text)
    .replaceAll(encodeURIComponent(ADDRESS), ADDRESS)
    .replaceAll(encodeURIComponent(REFERENCE), REFERENCE);
}

function templateOf(status: number, lang: Language, title: PlainKey, body: Html, tenant?: PageTenant): Template {
  const { html: markup, headers } = page({ title: translator(lang)(title), tenant, lang, body, styles: "inline" });
  const pieces = markup.split(/([\u{e000}\u{e001}])/u);
  return {
    status,
    headers:
      status === 503 || status === 429 ? Object.freeze({ ...headers, "retry-after": RETRY_AFTER_SECONDS }) : headers,
    parts: pieces.filter((_, index) => index % 2 === 0),
    holes: pieces.filter((_, index) => index % 2 === 1).map((hole) => (hole === ADDRESS ? "address" : "reference")),
  };
}

function fill(template: Template, reference: string, address: string): RenderedPage {
  const values = { address: escapeHtml(address), reference: escapeHtml(reference) };
  let markup = template.parts[0] ?? "";
  for (let index = 0; index < template.holes.length; index++) {
    markup += values[template.holes[index] ?? "reference"] + (template.parts[index + 1] ?? "");
  }
  return { status: template.status, headers: template.headers, body: Buffer.from(markup) };
}

function remember(branding: Branding, key: string, make: () => Template): Template {
  let byKey = templates.get(branding);
  if (byKey === undefined) {
    byKey = new Map();
    templates.set(branding, byKey);
  }
  let template = byKey.get(key);
  if (template === undefined) {
    template = make();
    byKey.set(key, template);
  }
  return template;
}
