/** The clinic's settings as they are, for an owner to read: the operator changes them. */
import { html } from "../look/html.ts";
import type { PlainKey } from "../look/language.ts";
import type { PlacePages } from "./place-pages.ts";
import { detailList, type OwnerCall, portalView, showPortal } from "./portal-frame.ts";
import type { Answer, Route } from "./route.ts";
import { durationText } from "./wording.ts";

export function portalSettingsRoutes(pages: PlacePages): Route[] {
  return [portalView(pages, "portal/settings", show)];
}

async function show(call: OwnerCall): Promise<Answer> {
  const { text, visit } = call;
  const { policy, hosts, branding } = visit.tenant;
  const duration = (seconds: number) => durationText(text, seconds);
  const rows: readonly (readonly [PlainKey, string])[] = [
    ["settings.hosts", hosts.join(", ")],
    ["settings.place", text(`settings.network.${policy.network}`)],
    ["settings.person", text(`settings.secondFactor.${policy.secondFactor}`)],
    ["settings.both", text(`settings.combine.${policy.combine}`)],
    ["settings.steps", policy.factors.map((factor) => text(`factor.${factor}`)).join(", ")],
    ["settings.self", text(`settings.selfAllow.${policy.selfAllow}`)],
    ["settings.shortcut", text(`settings.shortcutMode.${policy.shortcut}`)],
    ["settings.idle", duration(policy.session.idleSeconds)],
    ["settings.max", duration(policy.session.maxSeconds)],
    [
      "settings.remember",
      policy.session.rememberDeviceSeconds === 0
        ? text("settings.never")
        : duration(policy.session.rememberDeviceSeconds),
    ],
    [
      "settings.support",
      [branding.supportEmail, branding.supportPhone].filter(Boolean).join(", ") || text("settings.none"),
    ],
  ];
  const body = html`<section class="panel"><p>${text("settings.why")}</p>${detailList(rows.map(([key, value]) => [text(key), value]))}</section>`;
  return showPortal(call, { path: "portal/settings", title: text("portal.settings"), body });
}
