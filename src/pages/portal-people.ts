/** The clinic's people on the portal: invited, disabled, given a new start after a lost phone, and why one cannot get in. */
import { parseAddress } from "../core/address.ts";
import { describeBrowser } from "../look/browsers.ts";
import { notice, table } from "../look/displays.ts";
import { button, choices, field } from "../look/forms.ts";
import { type Html, html } from "../look/html.ts";
import { isFresh } from "../person/grants.ts";
import type { LiveSession } from "../person/session-record.ts";
import type { UserView } from "../person/user-view.ts";
import { postForm } from "./page-form.ts";
import type { PlacePages } from "./place-pages.ts";
import { detailList, type OwnerCall, portalForm, portalView, showPortal, type Work } from "./portal-frame.ts";
import { asking, changing, idOf, personPath, resetFactors, takingAway } from "./portal-people-acts.ts";
import { type Answer, pathTo, type Route } from "./route.ts";
import { actorOf, signInPath } from "./visitor.ts";
import { moment } from "./wording.ts";

const MOST = 500;

export function portalPeopleRoutes(pages: PlacePages): Route[] {
  const path = "portal/people";
  const act = (name: string, work: Work): Route =>
    portalForm(pages, { path: `${path}/${name}`, fields: ["id", "confirm"], view: showPersonAgain, work, proof: true });
  return [
    portalView(pages, path, showPeople),
    portalView(pages, `${path}/:token`, (call, pages) => showPerson(call, pages, call.token)),
    portalForm(pages, { path, fields: ["email", "name", "role"], view: showPeople, work: invite, proof: true }),
    act("invite", async (call, { person, sendsMail }) => {
      const { link } = await person.invitations.invite(call.visit.tenant, idOf(call), actorOf(call, call.session));
      return sendsMail ? personPath(call, "invited") : showInvitation(call, link);
    }),
    act("reset", asking("reset", resetFactors)),
    act("unlock", async (call, { person }) => {
      await person.users.unlock(call.visit.tenant, idOf(call), actorOf(call, call.session));
      return personPath(call, "unlocked");
    }),
    act("disable", takingAway({ state: "disabled" })),
    act("enable", changing({ state: "active" })),
    act("owner", asking("makeOwner", changing({ role: "owner" }))),
    act("user", asking("makeUser", takingAway({ role: "user" }))),
  ];
}

async function showPeople(call: OwnerCall, { person }: PlacePages): Promise<Answer> {
  const { text, visit } = call;
  const users = await person.users.list(visit.tenant, { limit: MOST });
  const columns = [text("people.person"), text("people.state"), text("people.steps"), text("people.lastSignIn")];
  const rows = users.map((user) => [
    html`<a href="${pathTo(`portal/people/${user.id}`)}">${user.name ?? user.email}</a>${user.role === "owner" && html` <strong class="tag">${text("people.owner")}</strong>`}${user.name !== undefined && html`<span class="under">${user.email}</span>`}`,
    stateText(call, user),
    factorsText(call, user),
    user.lastSignInAt === undefined ? text("account.never") : moment(call, user.lastSignInAt),
  ]);
  const body = html`<section class="panel">${table(text("people.list"), columns, rows)}</section>${invitePanel(call)}`;
  return showPortal(call, { path: "portal/people", title: text("portal.people"), body });
}

function stateText({ text }: OwnerCall, { state, signIn }: UserView): Html {
  const why = signIn.reasons[0];
  return html`${text(`people.state.${state}`)}${why !== undefined && state === "active" && html`<span class="under">${text(`people.why.${why}`)}</span>`}`;
}

function factorsText({ text }: OwnerCall, { factors }: UserView): string {
  return factors.length === 0
    ? text("people.noSteps")
    : [...new Set(factors.map(({ kind }) => text(`factor.${kind}`)))].join(", ");
}

/** Shown in place of what needs a recent proof. */
function proveFirst(call: OwnerCall, pages: PlacePages, back: string): Html {
  const { text } = call;
  return html`${notice("plain", text("people.proveWhy"))}<p class="actions"><a class="button secondary" href="${signInPath(call, pages, pathTo(back), { fresh: "1" })}">${text("account.prove")}</a></p>`;
}

function invitePanel(call: OwnerCall): Html {
  const { text, form } = call;
  const email = field({
    name: "email",
    label: text("signIn.email"),
    type: "email",
    value: form["email"],
    attributes: html`autocomplete="off" autocapitalize="off" spellcheck="false"`,
  });
  const name = field({
    name: "name",
    label: text("enrol.name"),
    value: form["name"],
    required: false,
    attributes: html`maxlength="60" autocomplete="off"`,
  });
  const role = choices(
    "role",
    text("people.role"),
    [
      { value: "user", label: text("people.user"), hint: text("people.userHint") },
      { value: "owner", label: text("people.owner"), hint: text("people.ownerHint") },
    ],
    form["role"] ?? "user",
  );
  return html`<section class="panel"><h2>${text("people.invite")}</h2><p>${text("people.inviteWhy")}</p>
${postForm(call, { path: "portal/people" }, html`<div class="columns">${email}${name}</div>${role}<p class="actions">${button(text("people.send"))}</p>`)}</section>`;
}

async function invite(call: OwnerCall, { person, sendsMail }: PlacePages): Promise<string | Answer> {
  const { visit, form, session } = call;
  const { email, name = "", role } = form;
  const given = { email: email?.trim(), ...(name.trim() === "" ? {} : { name: name.trim() }) };
  const input = { ...given, role: role === "owner" ? "owner" : "user" } as const;
  const actor = actorOf(call, session);
  const user = await person.users.create(visit.tenant, input, actor);
  const { link } = await person.invitations.invite(visit.tenant, user.id, actor);
  return sendsMail ? pathTo(`portal/people/${user.id}`, { done: "invited" }) : showInvitation(call, link);
}

/** Where no mail goes out, the owner hands the invitation over. */
async function showInvitation(call: OwnerCall, link: string): Promise<Answer> {
  const { text } = call;
  const body = html`<section class="panel"><h2>${text("people.invitation")}</h2><p>${text("people.hand")}</p><code class="line">${link}</code>
<p class="actions"><button class="button" type="button" data-copy="${link}" data-copied="${text("form.copied")}" hidden>${text("links.copy")}</button></p></section>`;
  return showPortal(call, { path: "portal/people", title: text("portal.people"), body });
}

async function showPersonAgain(call: OwnerCall, pages: PlacePages): Promise<Answer> {
  return await showPerson(call, pages, idOf(call));
}

async function showPerson(call: OwnerCall, pages: PlacePages, id: string): Promise<Answer> {
  const { text, visit, nowMs, session } = call;
  const { users, sessions } = pages.person;
  const user = await users.get(visit.tenant, id);
  const live = await sessions.listOfUser(visit.tenant, user.id);
  const name = user.name ?? user.email;
  const body = html`<section class="panel"><h2>${name}</h2>
${detailList([
  [text("account.login"), user.email],
  [text("people.may"), text(`people.${user.role}`)],
  [text("people.state"), text(`people.state.${user.state}`)],
  [text("people.steps"), factorsText(call, user)],
])}
<h3>${text("people.whyTitle")}</h3>${await explanation(call, pages, user, live)}</section>
<section class="panel"><h2>${text("people.help")}</h2>${isFresh(session, nowMs) ? actions(call, user) : proveFirst(call, pages, `portal/people/${user.id}`)}</section>
<p><a href="${pathTo("portal/people")}">${text("people.back")}</a></p>`;
  return showPortal(call, { path: "portal/people", title: text("portal.people"), body });
}

/** What stands in the way of this person, at the two doors. */
async function explanation(
  call: OwnerCall,
  pages: PlacePages,
  user: UserView,
  live: readonly LiveSession[],
): Promise<Html> {
  const { text, visit } = call;
  const reasons = user.signIn.reasons.map((reason) => html`<li>${text(`people.why.${reason}`)}</li>`);
  const tried = failures(call, user.signIn.failures);
  const places = await Promise.all(live.slice(0, 10).map((one) => describePlace(call, pages, one)));
  const asked = await askedPlace(call, pages);
  const form = html`<form method="get" action="${pathTo(`portal/people/${user.id}`)}" class="bar"><div class="field"><label for="ip">${text("people.from")}</label><input id="ip" name="ip" class="mono" value="${call.query["ip"] ?? ""}" placeholder="203.0.113.7" autocomplete="off"></div>${button(text("people.check"), { kind: "secondary" })}</form>`;
  return html`<ul class="how">${reasons.length === 0 ? html`<li>${text("people.canSignIn")}</li>` : reasons}${tried}${places.length === 0 ? html`<li>${text("people.noSession")}</li>` : places}</ul>
${visit.tenant.policy.network !== "off" && html`${form}${asked}`}`;
}

function failures(call: OwnerCall, failed: UserView["signIn"]["failures"]): Html | false {
  if (failed === undefined) return false;
  const { count, since, waitUntil } = failed;
  const { text } = call;
  const wait = waitUntil !== undefined && html`; ${text("people.waitUntil")} ${moment(call, waitUntil)}`;
  const from = since !== undefined && html` ${text("people.since")} ${moment(call, since)}`;
  return html`<li>${text("people.failures", { count })}${from}${wait}</li>`;
}

async function describePlace(
  call: OwnerCall,
  pages: PlacePages,
  { address, userAgent, lastSeenAtMs }: LiveSession,
): Promise<Html> {
  const { text } = call;
  const listed = await isListed(call, pages, address);
  return html`<li>${text("people.signedIn")} <span class="mono">${address}</span> (${describeBrowser(text, userAgent)}, ${moment(call, lastSeenAtMs)}): ${text(listed ? "people.listed" : "people.unlisted")}</li>`;
}

async function askedPlace(call: OwnerCall, pages: PlacePages): Promise<Html | false> {
  const { text, query } = call;
  const asked = query["ip"]?.trim();
  if (asked === undefined || asked === "") return false;
  if (parseAddress(asked) === undefined) return notice("bad", text("portal.refused.address"));
  const listed = await isListed(call, pages, asked);
  return notice(
    listed ? "good" : "warn",
    html`<span class="mono">${asked}</span>: ${text(listed ? "people.listed" : "people.unlisted")}`,
  );
}

/** Whether the list has the address now. */
export async function isListed({ visit }: OwnerCall, { explain }: PlacePages, text: string): Promise<boolean> {
  const address = parseAddress(text);
  return address !== undefined && (await explain(visit.tenant.id, { address, method: "GET" })).entry !== null;
}

function actions(call: OwnerCall, { id, state, role }: UserView): Html {
  const { text, session } = call;
  const act = (path: string, label: string, why: string, kind: "secondary" | "danger" = "secondary") =>
    html`<li>${postForm(call, { path: `portal/people/${path}`, hidden: { id } }, html`<p>${why}</p>${button(label, { kind })}`)}</li>`;
  const toRole =
    role === "owner"
      ? act("user", text("people.makeUser"), text("people.makeUserWhy"))
      : act("owner", text("people.makeOwner"), text("people.makeOwnerWhy"));
  const toState =
    state === "disabled"
      ? act("enable", text("people.enable"), text("people.enableWhy"))
      : act("disable", text("people.disable"), text("people.disableWhy"), "danger");
  // Nobody takes their own rights away.
  return html`<ul class="cards">${state !== "disabled" && act("invite", text("people.inviteAgain"), text("people.inviteAgainWhy"))}
${act("reset", text("people.reset"), text("people.resetWhy"))}${state === "locked" && act("unlock", text("people.unlock"), text("people.unlockWhy"))}
${id !== session.user && html`${toRole}${toState}`}</ul>`;
}
