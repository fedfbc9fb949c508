/** Every page of the person door, for control to hand to the pages' server. */
import type { Clock } from "../core/clock.ts";
import type { Keyring } from "../core/keyring.ts";
import type { PersonDoor } from "../person/door.ts";
import { accountRoutes } from "./account.ts";
import { enrolRoutes } from "./enrol.ts";
import { keyRoutes } from "./keys.ts";
import { passwordRoutes } from "./passwords.ts";
import type { PersonPages } from "./person-pages.ts";
import type { Route } from "./route.ts";
import { signInRoutes } from "./sign-in.ts";
import { signOutRoutes } from "./sign-out.ts";
import { ticketRoutes } from "./ticket.ts";
import { verifyRoutes } from "./verify.ts";
import { WaysBack } from "./way-back.ts";

export interface PersonRoutesOptions {
  readonly person: PersonDoor;
  /** Whether codes can be sent by text message. */
  readonly textMessages: boolean;
  readonly keyring: Keyring;
  readonly clock: Clock;
}

export function personRoutes({ person, textMessages, keyring, clock }: PersonRoutesOptions): readonly Route[] {
  const pages: PersonPages = { person, textMessages, waysBack: new WaysBack(keyring, clock) };
  return [
    ...signInRoutes(pages),
    ...verifyRoutes(pages),
    ...enrolRoutes(pages),
    ...passwordRoutes(pages),
    ...ticketRoutes(pages),
    ...signOutRoutes(pages),
    ...accountRoutes(pages),
    ...keyRoutes(pages),
  ];
}
