/** What the pages of the person door are made from. */
import type { PersonDoor } from "../person/door.ts";
import type { WaysBack } from "./way-back.ts";

export interface PersonPages {
  readonly person: PersonDoor;
  /** Whether codes can be sent by text message. */
  readonly textMessages: boolean;
  readonly waysBack: WaysBack;
}
