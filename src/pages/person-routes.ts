/** Every page of the person door, for control to hand to the pages' server. */
import { accountRoutes } from "./account.ts";
import { enrolRoutes } from "./enrol.ts";
import { jwksRoutes } from "./jwks.ts";
import { passwordRoutes } from "./passwords.ts";
import type { PersonPages } from "./person-pages.ts";
import type { Route } from "./route.ts";
import { signInRoutes } from "./sign-in.ts";
import { signOutRoutes } from "./sign-out.ts";
import { ticketRoutes } from "./ticket.ts";
import { verifyRoutes } from "./verify.ts";

export function personRoutes(pages: PersonPages): readonly Route[] {
  return [
    ...signInRoutes(pages),
    ...verifyRoutes(pages),
    ...enrolRoutes(pages),
    ...passwordRoutes(pages),
    ...ticketRoutes(pages),
    ...signOutRoutes(pages),
    ...accountRoutes(pages),
    ...jwksRoutes(pages),
  ];
}
