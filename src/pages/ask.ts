/** `ask`: somebody at a blocked place asks to be let in; needs no login and tells them nothing about the list. */
import { facts, notice } from "../look/displays.ts";
import { button, field } from "../look/forms.ts";
import { html } from "../look/html.ts";
import { PAGE_SCRIPT } from "./assets.ts";
import { postForm } from "./page-form.ts";
import type { PlacePages } from "./place-pages.ts";
import { type Answer, type Call, type Route, showPage, tooMany } from "./route.ts";
import { throttledText } from "./wording.ts";

export function askRoutes({ whitelist }: PlacePages): Route[] {
  return [
    { method: "GET", path: "ask", handle: (call) => show(call) },
    {
      method: "POST",
      path: "ask",
      fields: ["from", "note", "reference"],
      handle: async (call) => {
        const { visit, form, text } = call;
        const { from = "", note = "", reference = "" } = form;
        if (from.trim() === "") return show(call, { status: 422, message: text("ask.noName") });
        const waitMs = await whitelist.requests.ask(visit.tenant.id, visit, { from, note, reference });
        if (waitMs === 0) return showSent(call);
        return tooMany(show(call, { status: 429, message: throttledText(text, waitMs) }), waitMs);
      },
    },
  ];
}

function show(call: Call, failure?: { status: number; message: string }): Answer {
  const { text, visit, form, query } = call;
  const tenant = visit.tenant.name;
  const from = field({
    name: "from",
    label: text("ask.from"),
    hint: text("ask.fromHint", { tenant }),
    value: form["from"],
    attributes: html`maxlength="100" autocomplete="name"`,
  });
  const note = html`<div class="field"><label for="note">${text("ask.note")}</label><p class="hint" id="note-hint">${text("ask.noteHint")}</p>
<textarea id="note" name="note" rows="3" maxlength="500" aria-describedby="note-hint">${form["note"]}</textarea></div>`;
  const hidden = { reference: (form["reference"] ?? query["reference"] ?? "").slice(0, 32) };
  const body = html`<section class="panel"><h1>${text("ask.title")}</h1>
${failure && notice("bad", failure.message)}<p>${text("ask.why", { tenant })}</p>
${facts([[text("page.address"), visit.address.text]])}
${postForm(call, { path: "ask", hidden }, html`${from}${note}<p class="actions">${button(text("ask.send"))}</p>`)}</section>`;
  return showPage({ title: text("ask.title"), body, scripts: [PAGE_SCRIPT.path] }, failure?.status);
}

function showSent({ text, visit }: Call): Answer {
  const body = html`<section class="panel"><h1>${text("ask.sentTitle")}</h1>
${notice("good", text("ask.sent", { tenant: visit.tenant.name }))}
<p>${text("ask.sentHint")}</p><p class="actions"><a class="button" href="/">${text("page.tryAgain")}</a></p></section>`;
  return showPage({ title: text("ask.sentTitle"), body });
}
