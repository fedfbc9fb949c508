/** The switcher for somebody who works for several clinics: each stays a site of its own, with its own sign-in. */
import { table } from "../look/displays.ts";
import { html } from "../look/html.ts";
import type { PlacePages } from "./place-pages.ts";
import { type Answer, type Call, type Route, showPage } from "./route.ts";
import { accountNav, provenSession, withSession } from "./visitor.ts";

export function clinicRoutes(pages: PlacePages): Route[] {
  return [{ method: "GET", path: "clinics", handle: (call) => show(call, pages) }];
}

/** Names clinics only to somebody who has proven the second factor, and others than this one only as the rules allow. */
async function show(call: Call, pages: PlacePages): Promise<Answer> {
  return await withSession(call, pages, async (session) => {
    const { text, visit } = call;
    const proven = (await provenSession(call, pages)) !== undefined;
    const none = { clinics: [], mailboxProven: true };
    const { clinics, mailboxProven } = proven ? await pages.clinicsOf(session, visit.address) : none;
    const rows = clinics.map(({ id, name, host, admitted }) => [
      html`<a href="${siteOf(visit.origin, visit.host, host)}/">${name}</a>${id === visit.tenant.id && html` <strong class="tag">${text("account.thisOne")}</strong>`}<span class="under">${host}</span>`,
      text(admitted ? "clinics.admitted" : "clinics.notAdmitted"),
    ]);
    const body = html`<section class="panel"><h1>${text("clinics.title")}</h1><p>${text("clinics.why")}</p>
${table(text("clinics.list"), [text("clinics.clinic"), text("clinics.place", { address: visit.address.text })], rows)}
${!mailboxProven && html`<p class="quiet">${text("clinics.mailbox", { email: session.email })}</p>`}</section>`;
    return showPage({ title: text("clinics.title"), body, nav: accountNav(call, "clinics", session), width: "wide" });
  });
}

function siteOf(origin: string, host: string, other: string): string {
  return origin.replace(`//${host}`, () => `//${other}`);
}
