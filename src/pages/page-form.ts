/** The frame of every form of ours, with what proves that our own page posts it. */
import { type Html, html } from "../look/html.ts";
import { PROOF_FIELD } from "./form-guard.ts";
import { type Call, pathTo } from "./route.ts";

export interface FormOptions {
  /** The route that it posts to, below the root. */
  readonly path: string;
  readonly hidden?: Readonly<Record<string, string | undefined>>;
  /** Further attributes of the form, such as the data that a script needs. */
  readonly attributes?: Html;
}

export function postForm(call: Call, { path, hidden = {}, attributes }: FormOptions, body: Html): Html {
  const action = pathTo(path);
  const fields = Object.entries({ [PROOF_FIELD]: call.proofFor(action), ...hidden });
  return html`<form method="post" action="${action}" ${attributes}>${fields.map(
    ([name, value]) => value !== undefined && html`<input type="hidden" name="${name}" value="${value}">`,
  )}${body}</form>`;
}

export interface PasskeyFormOptions extends FormOptions {
  /** The `JSON` route that begins the ceremony, and the fields of the form that it is told. */
  readonly begin: string;
  readonly tells: readonly string[];
  readonly ceremony: "get" | "create";
  readonly label: string;
  readonly kind?: "primary" | "secondary";
  /** Inputs beside the button. */
  readonly inputs?: Html;
}

/**
 * A form that `passkey.js` fills in: it posts what it tells to `begin`, holds the ceremony with the options
 * that come back, puts the browser's answer into `response` and sends the form. Of no use without scripts, and
 * then hidden.
 */
export function passkeyForm(call: Call, options: PasskeyFormOptions): Html {
  const { text } = call;
  const begin = pathTo(options.begin);
  const attributes = html`data-passkey="${options.ceremony}" data-begin="${begin}" data-tells="${options.tells.join(" ")}" data-proof="${call.proofFor(begin)}" hidden`;
  const hidden = { response: "", ...options.hidden };
  return html`<p class="notice warn" data-passkey-absent>${text("passkey.absent")}</p>${postForm(
    call,
    { path: options.path, hidden, attributes },
    html`${options.inputs}<div class="notice bad" role="alert" data-passkey-failed hidden>${text("passkey.failed")}</div>
<p class="actions"><button class="button ${options.kind ?? "primary"}" type="submit">${options.label}</button></p>`,
  )}`;
}
