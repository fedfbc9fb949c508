/** Every text that a person reads, in Dutch. Keys and placeholders follow `texts.en-GB.ts`. */
import type { Catalogue } from "./language.ts";

export const NL: Catalogue = {
  "language.name": "Nederlands",

  "page.skip": "Naar de inhoud",
  "page.guarded": "Beveiligd met Sallyport",
  "page.reference": "Referentie",
  "page.address": "Uw adres",
  "page.tryAgain": "Opnieuw proberen",

  "form.problem": { one: "Er is een probleem", other: "Er zijn {count} problemen" },

  "doors.label": "De twee deuren",
  "doors.place": "Plaats",
  "doors.person": "Persoon",
  "doors.here": "U bent hier",
  "doors.open": "Open",
  "doors.shut": "Niet op de lijst",
  "doors.later": "Volgt hierna",

  "block.title": "Deze plaats staat niet op de lijst",
  "block.why":
    "{tenant} is alleen bereikbaar vanaf plaatsen die de praktijk heeft goedgekeurd. Er is niets mis met uw computer of uw wachtwoord.",
  "block.signIn": "Inloggen om deze plaats toe te voegen",
  "block.signInHint": "Nadat u bent ingelogd en hebt aangetoond wie u bent, kunt u de plaats toevoegen waar u nu bent.",
  "block.askHeading": "Kunt u dat niet zelf?",
  "block.ask": "Vraag {tenant} om een toegangslink en geef het adres en de referentie hierboven door.",
  "block.askOnlyHeading": "Hoe u binnenkomt",
  "block.mail": "E-mail sturen",
  "block.mailSubject": "Graag een plaats toevoegen: {address}",
  "block.mailBody": "Wilt u de plaats toevoegen waar ik nu ben?\n\nAdres: {address}\nReferentie: {reference}\n",
  "block.call": "Bel {phone}",

  "unavailable.heading": "Probeer het zo dadelijk opnieuw",
  "unavailable.body":
    "We kunnen op dit moment niet nagaan of u bent ingelogd. Voor de zekerheid blijft de deur dicht. Meestal is dit binnen een minuut voorbij. Wat u hebt opgeslagen, blijft bewaard.",

  "unknownHost.heading": "Op dit webadres is niets te vinden",
  "unknownHost.body": "Controleer het adres in de adresbalk van uw browser, of gebruik de link die u hebt gekregen.",

  "error.badRequest.heading": "Dit verzoek is niet te begrijpen",
  "error.badRequest.body": "Uw browser stuurde iets dat hier niet is toegestaan. Ga terug en probeer het opnieuw.",
  "error.forbidden.heading": "Dit is niet toegestaan",
  "error.forbidden.body": "Het verzoek is geweigerd. Ga terug naar de vorige pagina en probeer het daar opnieuw.",
  "error.notFound.heading": "Deze pagina bestaat niet",
  "error.notFound.body":
    "Misschien is de link niet volledig. Ga terug en probeer het opnieuw, of gebruik de link die u hebt gekregen.",
  "error.tooMany.heading": "Dat was te vaak",
  "error.tooMany.body": "Wacht even voordat u het opnieuw probeert.",
  "error.internal.heading": "Er ging bij ons iets mis",
  "error.internal.body": "Het ligt niet aan u. Probeer het opnieuw; geef de referentie door als het blijft gebeuren.",
  "error.badGateway.heading": "Het systeem van de praktijk reageert niet",
  "error.badGateway.body":
    "U bent toegelaten, maar het systeem achter deze deur is niet bereikbaar. Probeer het over enkele minuten opnieuw.",
  "error.gatewayTimeout.heading": "Het systeem van de praktijk doet er te lang over",
  "error.gatewayTimeout.body":
    "U bent toegelaten, maar het systeem achter deze deur heeft niet op tijd geantwoord. Was u iets aan het opslaan? Kijk dan eerst of het is opgeslagen voordat u het opnieuw doet.",
};
