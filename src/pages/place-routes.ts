/** Every page by which places get onto the list and off it, for control to hand to the pages' server. */
import { allowRoutes } from "./allow.ts";
import type { PlacePages } from "./place-pages.ts";
import type { Route } from "./route.ts";

export function placeRoutes(pages: PlacePages): readonly Route[] {
  return [...allowRoutes(pages)];
}
