/**
 * Every text that a person reads, in British English: the catalogue that all other languages follow.
 * Texts are plain (no HTML); `{name}` is filled in; a text that counts has the forms of `Intl.PluralRules`
 * and a `{count}`. To add one, add it here and in each `texts.*.ts`; the type checker names what is missing.
 */
import { PERSON_EN_GB } from "./texts-person.en-GB.ts";
import { PLACES_EN_GB } from "./texts-places.en-GB.ts";
import { PORTAL_EN_GB } from "./texts-portal.en-GB.ts";

export const EN_GB = {
  ...PERSON_EN_GB,
  ...PLACES_EN_GB,
  ...PORTAL_EN_GB,

  "language.name": "English",

  "page.skip": "Skip to the content",
  "page.guarded": "Guarded by Sallyport",
  "page.reference": "Reference",
  "page.address": "Your address",
  "page.tryAgain": "Try again",

  "form.problem": { one: "There is a problem", other: "There are {count} problems" },

  "doors.label": "The two doors",
  "doors.place": "Place",
  "doors.person": "Person",
  "doors.here": "You are here",
  "doors.open": "Open",
  "doors.shut": "Not on the list",
  "doors.later": "Comes next",

  "block.title": "This place is not on the list",
  "block.why":
    "{tenant} can only be reached from places that it has approved. Nothing is wrong with your computer or your password.",
  "block.signIn": "Sign in to add this place",
  "block.signInHint": "After you have signed in and proved who you are, you can add the place you are at now.",
  "block.askHeading": "Cannot add it yourself?",
  "block.request": "The account owner of {tenant} can let you in with one click.",
  "block.ask": "Ask {tenant} to send you a whitelist link, and give them the address and the reference above.",
  "block.askOnlyHeading": "How to get in",
  "block.mail": "Send an e-mail",
  "block.mailSubject": "Please add a place: {address}",
  "block.mailBody": "Please add the place I am at.\n\nAddress: {address}\nReference: {reference}\n",
  "block.call": "Call {phone}",

  "unavailable.heading": "Please try again shortly",
  "unavailable.body":
    "We cannot check your sign-in at this moment, so the door stays shut to be safe. This usually passes within a minute. Nothing you have saved is lost.",

  "unknownHost.heading": "There is nothing at this web address",
  "unknownHost.body":
    "Check the spelling of the address in the bar of your browser, or use the link that you were given.",

  "error.badRequest.heading": "This request cannot be understood",
  "error.badRequest.body": "Your browser sent something that is not allowed here. Go back and try again.",
  "error.forbidden.heading": "This is not allowed",
  "error.forbidden.body": "The request was refused. Go back to the page you came from and try again from there.",
  "error.notFound.heading": "This page does not exist",
  "error.notFound.body": "The link may be incomplete. Go back and try again, or use the link that you were given.",
  "error.tooMany.heading": "That was too often",
  "error.tooMany.body": "Please wait a little before you try again.",
  "error.network.heading": "Many requests from your network",
  "error.network.body":
    "The network that you are on asks for these pages more often than is allowed. It need not be your doing. Wait {wait}, then try again.",
  "error.internal.heading": "Something went wrong on our side",
  "error.internal.body": "It is not your doing. Please try again; if it keeps happening, pass on the reference.",
  "error.badGateway.heading": "The clinic's system does not answer",
  "error.badGateway.body":
    "You were let in, but the system behind this door cannot be reached. Please try again in a few minutes.",
  "error.gatewayTimeout.heading": "The clinic's system takes too long",
  "error.gatewayTimeout.body":
    "You were let in, but the system behind this door did not answer in time. If you were saving something, check whether it was saved before you do it again.",

  "factor.totp": "Authenticator app",
  "factor.passkey": "Passkey or security key",
  "factor.sms": "Text message",
  "factor.recovery": "Recovery code",

  "sms.code": "{code} is your code for {tenant}. It is valid for 5 minutes. Never pass it on.",

  "mail.hello": "Hello,",
  "mail.helloName": "Hello {name},",
  "mail.copyLink": "If the button does not work, copy this address into your browser:",
  "mail.expires": "The link works until {time}.",
  "mail.notYou": "Was this not you? Then tell {tenant} at once.",
  "mail.footer": "{tenant} sent you this message. Its system is guarded by Sallyport.",
  "mail.fact.time": "Time",
  "mail.fact.address": "Address",
  "mail.fact.addresses": "Addresses",
  "mail.fact.browser": "Browser",
  "mail.fact.factor": "Sign-in step",
  "mail.fact.from": "From",
  "mail.fact.label": "For",
  "mail.fact.login": "Login",
  "mail.invite.subject": "Your login for {tenant}",
  "mail.invite.body":
    "{tenant} has made you a login of your own. Choose a password and a second sign-in step; it takes about three minutes.",
  "mail.invite.action": "Set up my login",
  "mail.invite.warning": "Did you not expect this? Then you can leave this message alone; nothing happens.",
  "mail.passwordReset.subject": "A new password for {tenant}",
  "mail.passwordReset.body": "Somebody, probably you, asked for a new password for your login at {tenant}.",
  "mail.passwordReset.action": "Choose a new password",
  "mail.passwordReset.warning":
    "Did you not ask for it? Then you can leave this message alone; your password stays as it is.",
  "mail.passwordChanged.subject": "Your password for {tenant} has changed",
  "mail.passwordChanged.body": "The password of your login has been changed, and you were signed out everywhere.",
  "mail.emailChanged.subject": "Your e-mail address at {tenant} has changed",
  "mail.emailChanged.body":
    "The e-mail address with which you sign in at {tenant} has been changed, and you were signed out everywhere.",
  "mail.factorAdded.subject": "A sign-in step was added at {tenant}",
  "mail.factorAdded.body": "A new way to prove who you are was added to your login.",
  "mail.factorRemoved.subject": "A sign-in step was removed at {tenant}",
  "mail.factorRemoved.body": "A way to prove who you are was removed from your login.",
  "mail.factorsReset.subject": "Your sign-in steps at {tenant} were reset",
  "mail.factorsReset.body":
    "All second sign-in steps of your login were removed. You set up a new one the next time you sign in.",
  "mail.recoveryCodeUsed.subject": "A recovery code was used at {tenant}",
  "mail.recoveryCodeUsed.body": "Somebody, probably you, signed in with one of your recovery codes.",
  "mail.recoveryCodeUsed.left": {
    one: "You have one recovery code left. Make new ones on your account page.",
    other: "You have {count} recovery codes left. You can make new ones on your account page.",
  },
  "mail.recoveryRenewed.subject": "New recovery codes at {tenant}",
  "mail.recoveryRenewed.body": "New recovery codes were made for your login. The earlier ones no longer work.",
  "mail.locked.subject": "Your login at {tenant} is locked",
  "mail.locked.body":
    "There were too many failed attempts to sign in with your login, so it is locked. The account owner of {tenant} can unlock it.",
  "mail.newPlace.subject": "A sign-in from a new place at {tenant}",
  "mail.newPlace.body":
    "Somebody, probably you, signed in with your login, in a browser and from a place that are both new here.",
  "mail.sharedLogin.subject": "A login at {tenant} seems to be shared",
  "mail.sharedLogin.body": "The same login was in use at the same time from places far apart.",
  "mail.sharedLogin.advice":
    "Nothing was blocked. If several people use this login, give each of them a login of their own; if not, sign it out everywhere and change its password.",
  "mail.whitelistLink.subject": "Let your place in at {tenant}",
  "mail.whitelistLink.body":
    "{tenant} sends you a link that adds the place you are at to its list. Open it there and confirm with one click; no login is needed.",
  "mail.whitelistLink.action": "Add this place",
  "mail.whitelistLink.warning": "Do not pass this message on: whoever has the link can use it.",
  "mail.accessRequest.subject": "Somebody asks to be let in at {tenant}",
  "mail.accessRequest.body": "Somebody at a place that is not on the list of {tenant} asks to be let in.",
  "mail.accessRequest.action": "Look at the request",
  "mail.accessRequest.warning": "Do not know who this is? Then do nothing; the place stays blocked.",
} as const;
