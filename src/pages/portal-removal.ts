/** Taking places off the list: whoever would shut themselves out by it is asked first. */
import type { RemovalOptions } from "../core/entries.ts";
import { SallyportError } from "../core/errors.ts";
import { notice } from "../look/displays.ts";
import { button } from "../look/forms.ts";
import { html } from "../look/html.ts";
import { postForm } from "./page-form.ts";
import { type OwnerCall, type PortalPath, showPortal } from "./portal-frame.ts";
import { type Answer, pathTo } from "./route.ts";

/**
 * The place where the owner stands goes only once they have confirmed.
 * @param path the form's, with the fields `id` and `confirm`
 */
export async function removeOrAsk(
  call: OwnerCall,
  path: PortalPath,
  remove: (options: RemovalOptions) => Promise<string>,
): Promise<string | Answer> {
  const { form, visit } = call;
  try {
    return await remove(form["confirm"] === "yes" ? {} : { onBehalfOf: visit.address });
  } catch (error) {
    if (!(error instanceof SallyportError) || error.code !== "confirmation_required") throw error;
    return showConfirmation(call, path);
  }
}

function showConfirmation(call: OwnerCall, path: PortalPath): Answer {
  const { text, visit, form } = call;
  const confirm = postForm(
    call,
    { path, hidden: { id: form["id"] ?? "", confirm: "yes" } },
    html`<p class="actions">${button(text("portal.removeHere"), { kind: "danger" })}<a class="button" href="${pathTo("portal")}">${text("portal.keep")}</a></p>`,
  );
  const body = html`<section class="panel">${notice("warn", text("portal.hereWarning", { address: visit.address.text }))}${confirm}</section>`;
  return showPortal(call, { path: "portal", title: text("portal.hereTitle"), body, status: 409 });
}
