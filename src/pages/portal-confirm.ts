/** The portal's page between a click and what it does: what would happen, and the choice to leave it. */
import { notice } from "../look/displays.ts";
import { button } from "../look/forms.ts";
import { html } from "../look/html.ts";
import { postForm } from "./page-form.ts";
import { type OwnerCall, type PortalPath, showPortal } from "./portal-frame.ts";
import { type Answer, pathTo } from "./route.ts";

export interface Confirmation {
  /** The form that was sent and is sent again, with `confirm`, which it takes. */
  readonly path: PortalPath;
  /** Its other fields, as they were sent. */
  readonly hidden: Readonly<Record<string, string | undefined>>;
  /** The page that it belongs to. */
  readonly page: PortalPath;
  /** Where to go instead; the page where absent. */
  readonly back?: PortalPath;
  readonly title: string;
  readonly why: string;
  readonly go: string;
}

export function showConfirmation(
  call: OwnerCall,
  { path, hidden, page, back = page, title, why, go }: Confirmation,
): Answer {
  const { proof: _, ...fields } = hidden;
  const form = postForm(
    call,
    { path, hidden: { ...fields, confirm: "yes" } },
    html`<p class="actions">${button(go, { kind: "danger" })}<a class="button" href="${pathTo(back)}">${call.text("portal.keep")}</a></p>`,
  );
  const body = html`<section class="panel">${notice("warn", why)}${form}</section>`;
  return showPortal(call, { path: page, title, body, status: 409 });
}
