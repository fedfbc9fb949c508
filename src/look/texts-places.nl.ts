/** Texts of the pages by which places get onto the list, in Dutch. */
import type { Catalogue } from "./language.ts";
import type { PLACES_EN_GB } from "./texts-places.en-GB.ts";

export const PLACES_NL: Pick<Catalogue, keyof typeof PLACES_EN_GB> = {
  "allow.title": "De plaats toevoegen waar u bent",
  "allow.linkWhy":
    "{tenant} heeft u deze link gestuurd. Met één klik krijgt de plaats waar u bent toegang; inloggen is niet nodig.",
  "allow.shortcutWhy": "Deze snelkoppeling zet de plaats waar u bent op de lijst van {tenant}.",
  "allow.label": "Voor",
  "allow.add": "Deze plaats toevoegen",
  "allow.linkHint": "Er gebeurt niets tot u klikt. Verwachtte u deze link niet, sluit dan de pagina.",
  "allow.shortcutHint": "De plaats die deze snelkoppeling eerder toevoegde, gaat van de lijst.",
  "allow.signInWhy": "De snelkoppeling is nieuw op deze plaats. Log eerst in om te tonen dat u het bent.",
  "allow.doneTitle": "U hebt toegang",
  "allow.done": "{tenant} laat deze plaats vanaf nu binnen.",
  "allow.until": "De plaats blijft op de lijst tot",
  "allow.companion": "Uw verbinding heeft een tweede adres; dat is ook toegevoegd.",
  "allow.onward": "Verder naar {tenant}",
  "allow.refusedTitle": "Deze plaats is niet toegevoegd",
  "allow.full":
    "De lijst van {tenant} is vol. Vraag de accounteigenaar plaatsen te verwijderen die niemand meer gebruikt.",
};
