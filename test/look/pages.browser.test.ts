/** The pages in a real browser: nothing for axe to find, the policy holds, the keyboard is enough, nothing runs over. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { AxeBuilder } from "@axe-core/playwright";
import t from "tap";
import { codeList, facts, notice, secret, steps, table } from "../../src/look/displays.ts";
import { doors } from "../../src/look/doors.ts";
import { button, checkbox, choices, codeField, errorSummary, field } from "../../src/look/forms.ts";
import { html } from "../../src/look/html.ts";
import { translator } from "../../src/look/language.ts";
import { page } from "../../src/look/page.ts";
import {
  renderBlockPage,
  renderErrorPage,
  renderUnavailablePage,
  renderUnknownHostPage,
} from "../../src/look/refusals.ts";
import { STYLESHEET } from "../../src/look/stylesheet.ts";
import { launchBrowser } from "../support/browser.ts";

const text = translator("en-GB");
const branding = { accent: "#ffd400", supportEmail: "desk@happyfeet.example", supportPhone: "+44 20 7946 0000" };
const tenant = { name: "Happy Feet Podiatry", branding };
const facing = { reference: "k7q2m9xa", lang: "en-GB" } as const;

const signIn = page({
  title: "Sign in",
  tenant,
  lang: "en-GB",
  body: html`<section class="panel">${doors(text, "open", "here")}<h1>Sign in</h1>
${errorSummary(text, [{ field: "email", message: "Enter your e-mail address" }, { message: "Try again" }])}
<form method="post">${field({ name: "email", label: "E-mail", type: "email", error: "Enter your e-mail address", attributes: html`autocomplete="username"` })}
${codeField({ name: "code", label: "Code", hint: "Six digits" })}
${choices(
  "factor",
  "How?",
  [
    { value: "totp", label: "App", hint: "On your phone" },
    { value: "passkey", label: "Passkey" },
  ],
  "totp",
)}
${checkbox("remember", "Remember this device")}<p class="actions">${button("Continue")}${button("Not now", { kind: "secondary", name: "skip", value: "1" })}${button("Remove", { kind: "danger" })}</p></form></section>`,
});
const lists = page({
  title: "Places",
  tenant,
  lang: "en-GB",
  width: "wide",
  nav: html`<nav aria-label="Portal"><a href="/a" aria-current="page">Places</a><a href="/b">People</a></nav>`,
  body: html`<section class="panel"><h1>Places</h1>${notice("good", "Added.")}${notice("warn", "Careful.")}${notice("bad", "No.")}
${table("Allowed", ["Address", "Label", ""], [["2001:db8:1234:5678::/64", "Sam at home", html`<a href="/x">Remove</a>`]])}
${steps(["One", "Two", "Three"], 1)}${secret("JBSWY3DPEHPK3PXP")}${codeList(["abcde-fghjk", "mnpqr-stvwx"])}${facts([["Number", "+44 7700 900123"]])}</section>`,
});

const PAGES: Record<string, { status: number; headers: Readonly<Record<string, string>>; body: Buffer | string }> = {
  "/block": renderBlockPage({
    tenantName: tenant.name,
    branding,
    address: "2001:db8:85a3:8d3:1319:8a2e:370:7348",
    ...facing,
    canSelfAllow: true,
  }),
  "/unavailable": renderUnavailablePage({ ...facing, tenant }),
  "/unknown": renderUnknownHostPage(facing),
  "/error": renderErrorPage(502, { ...facing, tenant, lang: "nl" }),
  "/sign-in": { status: 200, headers: signIn.headers, body: signIn.html },
  "/lists": { status: 200, headers: lists.headers, body: lists.html },
  [STYLESHEET.path]: { status: 200, headers: { "content-type": STYLESHEET.contentType }, body: STYLESHEET.body },
};

const COUNT_SMALL_TARGETS = `[...document.querySelectorAll(".button, .choice, .field input, .contacts a, nav a")]
  .filter((element) => element.getBoundingClientRect().height < 44).length`;

t.test("in Chromium", { timeout: 60_000 }, async (t) => {
  const browser = await launchBrowser(t);
  if (browser === undefined) return;
  const server = createServer((request, response) => {
    const found = PAGES[request.url ?? ""];
    response.writeHead(found?.status ?? 404, found?.headers ?? {}).end(found?.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.close());
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  for (const colorScheme of ["light", "dark"] as const) {
    const context = await browser.newContext({ colorScheme, viewport: { width: 390, height: 844 } });
    const view = await context.newPage();
    const complaints: string[] = [];
    view.on("console", (message) => {
      if (!message.text().includes("Failed to load resource")) complaints.push(message.text());
    });
    for (const path of Object.keys(PAGES).filter((key) => key !== STYLESHEET.path)) {
      await view.goto(origin + path);
      const { violations } = await new AxeBuilder({ page: view }).analyze();
      t.same(
        violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)]),
        [],
        `${path} ${colorScheme}: axe`,
      );
      t.ok(
        await view.evaluate<boolean>("document.documentElement.scrollWidth <= innerWidth"),
        `${path}: nothing runs over`,
      );
      t.ok(await view.evaluate<boolean>("getComputedStyle(document.body).display === 'flex'"), `${path}: styles apply`);
      const small = await view.evaluate<number>(COUNT_SMALL_TARGETS);
      t.equal(small, 0, `${path}: every target is 44 px high`);
    }
    t.same(complaints, [], `${colorScheme}: the policy blocks nothing of ours`);
    await context.close();
  }

  await t.test("keyboard alone", async (t) => {
    const view = await browser.newPage();
    await view.goto(`${origin}/block`);
    const stops: string[] = [];
    for (let press = 0; press < 5; press++) {
      await view.keyboard.press("Tab");
      stops.push(await view.evaluate<string>("document.activeElement.textContent"));
    }
    t.same(stops, [
      "Skip to the content",
      "Sign in to add this place",
      "Ask to be let in",
      "Send an e-mail",
      "Call +44 20 7946 0000",
    ]);
    t.equal(await view.evaluate<string>("getComputedStyle(document.activeElement).outlineStyle"), "solid");
    await view.goto(`${origin}/sign-in`);
    await view.getByRole("link", { name: "Enter your e-mail address" }).press("Enter");
    t.equal(await view.evaluate<string>("document.activeElement.id"), "email", "the summary leads to the field");
    await view.close();
  });

  await t.test("recovery codes print, the rest does not", async (t) => {
    const view = await browser.newPage();
    await view.goto(`${origin}/lists`);
    await view.emulateMedia({ media: "print" });
    t.ok(await view.locator(".codes").isVisible());
    t.notOk(await view.locator("nav").isVisible());
    await view.close();
  });
});
