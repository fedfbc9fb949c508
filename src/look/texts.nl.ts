/** Every text that a person reads, in Dutch. Keys and placeholders follow `texts.en-GB.ts`. */
import type { Catalogue } from "./language.ts";
import { PERSON_NL } from "./texts-person.nl.ts";
import { PLACES_NL } from "./texts-places.nl.ts";
import { PORTAL_NL } from "./texts-portal.nl.ts";

export const NL: Catalogue = {
  ...PERSON_NL,
  ...PLACES_NL,
  ...PORTAL_NL,

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
  "block.request": "De accounteigenaar van {tenant} kan u met één klik toelaten.",
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
  "error.network.heading": "Veel verzoeken vanaf uw netwerk",
  "error.network.body":
    "Het netwerk waarop u zit, vraagt deze pagina's vaker op dan is toegestaan. Dat hoeft niet aan u te liggen. Wacht {wait} en probeer het dan opnieuw.",
  "error.internal.heading": "Er ging bij ons iets mis",
  "error.internal.body": "Het ligt niet aan u. Probeer het opnieuw; geef de referentie door als het blijft gebeuren.",
  "error.badGateway.heading": "Het systeem van de praktijk reageert niet",
  "error.badGateway.body":
    "U bent toegelaten, maar het systeem achter deze deur is niet bereikbaar. Probeer het over enkele minuten opnieuw.",
  "error.gatewayTimeout.heading": "Het systeem van de praktijk doet er te lang over",
  "error.gatewayTimeout.body":
    "U bent toegelaten, maar het systeem achter deze deur heeft niet op tijd geantwoord. Was u iets aan het opslaan? Kijk dan eerst of het is opgeslagen voordat u het opnieuw doet.",

  "factor.totp": "Authenticator-app",
  "factor.passkey": "Passkey of beveiligingssleutel",
  "factor.sms": "Sms",
  "factor.recovery": "Herstelcode",

  "sms.code": "{code} is uw code voor {tenant}. De code is 5 minuten geldig. Geef hem nooit aan anderen.",

  "mail.hello": "Hallo,",
  "mail.helloName": "Hallo {name},",
  "mail.copyLink": "Werkt de knop niet? Kopieer dan dit adres naar uw browser:",
  "mail.expires": "De link werkt tot {time}.",
  "mail.notYou": "Was u dit niet? Meld het dan meteen bij {tenant}.",
  "mail.footer": "Dit bericht komt van {tenant}. Het systeem is beveiligd met Sallyport.",
  "mail.fact.time": "Tijdstip",
  "mail.fact.address": "Adres",
  "mail.fact.addresses": "Adressen",
  "mail.fact.browser": "Browser",
  "mail.fact.factor": "Inlogstap",
  "mail.fact.from": "Van",
  "mail.fact.label": "Voor",
  "mail.fact.login": "Login",
  "mail.invite.subject": "Uw login voor {tenant}",
  "mail.invite.body":
    "{tenant} heeft een eigen login voor u gemaakt. Kies een wachtwoord en een tweede inlogstap; dat duurt ongeveer drie minuten.",
  "mail.invite.action": "Mijn login instellen",
  "mail.invite.warning": "Had u dit niet verwacht? Dan hoeft u niets te doen; er gebeurt niets.",
  "mail.passwordReset.subject": "Een nieuw wachtwoord voor {tenant}",
  "mail.passwordReset.body":
    "Iemand, waarschijnlijk uzelf, heeft een nieuw wachtwoord aangevraagd voor uw login bij {tenant}.",
  "mail.passwordReset.action": "Nieuw wachtwoord kiezen",
  "mail.passwordReset.warning":
    "Hebt u dit niet aangevraagd? Dan hoeft u niets te doen; uw wachtwoord blijft hetzelfde.",
  "mail.passwordChanged.subject": "Uw wachtwoord voor {tenant} is gewijzigd",
  "mail.passwordChanged.body": "Het wachtwoord van uw login is gewijzigd en u bent overal uitgelogd.",
  "mail.emailChanged.subject": "Uw e-mailadres bij {tenant} is gewijzigd",
  "mail.emailChanged.body": "Het e-mailadres waarmee u inlogt bij {tenant} is gewijzigd en u bent overal uitgelogd.",
  "mail.factorAdded.subject": "Er is een inlogstap toegevoegd bij {tenant}",
  "mail.factorAdded.body": "Aan uw login is een nieuwe manier toegevoegd om aan te tonen wie u bent.",
  "mail.factorRemoved.subject": "Er is een inlogstap verwijderd bij {tenant}",
  "mail.factorRemoved.body": "Van uw login is een manier verwijderd om aan te tonen wie u bent.",
  "mail.factorsReset.subject": "Uw inlogstappen bij {tenant} zijn gewist",
  "mail.factorsReset.body":
    "Alle tweede inlogstappen van uw login zijn verwijderd. De volgende keer dat u inlogt, stelt u een nieuwe in.",
  "mail.recoveryCodeUsed.subject": "Er is een herstelcode gebruikt bij {tenant}",
  "mail.recoveryCodeUsed.body": "Iemand, waarschijnlijk uzelf, heeft ingelogd met een van uw herstelcodes.",
  "mail.recoveryCodeUsed.left": {
    one: "U hebt nog één herstelcode. Maak nieuwe codes op uw accountpagina.",
    other: "U hebt nog {count} herstelcodes. Op uw accountpagina kunt u nieuwe maken.",
  },
  "mail.recoveryRenewed.subject": "Nieuwe herstelcodes bij {tenant}",
  "mail.recoveryRenewed.body": "Voor uw login zijn nieuwe herstelcodes gemaakt. De eerdere codes werken niet meer.",
  "mail.locked.subject": "Uw login bij {tenant} is geblokkeerd",
  "mail.locked.body":
    "Er is te vaak vergeefs geprobeerd om met uw login in te loggen. Daarom is de login geblokkeerd. De accounteigenaar van {tenant} kan hem weer vrijgeven.",
  "mail.newPlace.subject": "Er is ingelogd vanaf een nieuwe plaats bij {tenant}",
  "mail.newPlace.body":
    "Iemand, waarschijnlijk uzelf, heeft met uw login ingelogd, in een browser en vanaf een plaats die hier allebei nieuw zijn.",
  "mail.sharedLogin.subject": "Een login bij {tenant} lijkt te worden gedeeld",
  "mail.sharedLogin.body":
    "Dezelfde login was op hetzelfde moment in gebruik vanaf plaatsen die ver uit elkaar liggen.",
  "mail.sharedLogin.advice":
    "Er is niets geblokkeerd. Gebruiken meerdere mensen deze login? Geef ieder dan een eigen login. Zo niet, log hem dan overal uit en wijzig het wachtwoord.",
  "mail.whitelistLink.subject": "Geef uw plaats toegang bij {tenant}",
  "mail.whitelistLink.body":
    "{tenant} stuurt u een link waarmee u de plaats waar u bent aan de lijst toevoegt. Open de link daar en bevestig met één klik; inloggen is niet nodig.",
  "mail.whitelistLink.action": "Deze plaats toevoegen",
  "mail.whitelistLink.warning": "Stuur dit bericht niet door: wie de link heeft, kan hem gebruiken.",
  "mail.accessRequest.subject": "Iemand vraagt toegang bij {tenant}",
  "mail.accessRequest.body": "Iemand op een plaats die niet op de lijst van {tenant} staat, vraagt om toegang.",
  "mail.accessRequest.action": "Verzoek bekijken",
  "mail.accessRequest.warning": "Weet u niet wie dit is? Doe dan niets; de plaats blijft geblokkeerd.",
};
