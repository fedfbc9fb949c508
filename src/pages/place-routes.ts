/** Every page by which places get onto the list and off it, for control to hand to the pages' server. */
import { allowRoutes } from "./allow.ts";
import { askRoutes } from "./ask.ts";
import { clinicRoutes } from "./clinics.ts";
import { ICON_ROUTES } from "./icon.ts";
import { placeOfferRoutes } from "./place.ts";
import type { PlacePages } from "./place-pages.ts";
import { portalActivityRoutes } from "./portal-activity.ts";
import { portalLinkRoutes } from "./portal-links.ts";
import { portalLiveRoutes } from "./portal-live.ts";
import { portalPeopleRoutes } from "./portal-people.ts";
import { portalPlaceRoutes } from "./portal-places.ts";
import { portalSettingsRoutes } from "./portal-settings.ts";
import { portalShortcutRoutes } from "./portal-shortcuts.ts";
import type { Route } from "./route.ts";
import { shortcutRoutes } from "./shortcuts.ts";

export function placeRoutes(pages: PlacePages): readonly Route[] {
  return [
    ...allowRoutes(pages),
    ...askRoutes(pages),
    ...placeOfferRoutes(pages),
    ...shortcutRoutes(pages),
    ...clinicRoutes(pages),
    ...portalPlaceRoutes(pages),
    ...portalLinkRoutes(pages),
    ...portalShortcutRoutes(pages),
    ...portalPeopleRoutes(pages),
    ...portalActivityRoutes(pages),
    ...portalSettingsRoutes(pages),
    ...portalLiveRoutes(pages),
    ...ICON_ROUTES,
  ];
}
