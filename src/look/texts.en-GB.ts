/**
 * Every text that a person reads, in British English: the catalogue that all other languages follow.
 * Texts are plain (no HTML); `{name}` is filled in; a text that counts has the forms of `Intl.PluralRules`
 * and a `{count}`. To add one, add it here and in each `texts.*.ts`; the type checker names what is missing.
 */
export const EN_GB = {
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
  "error.internal.heading": "Something went wrong on our side",
  "error.internal.body": "It is not your doing. Please try again; if it keeps happening, pass on the reference.",
  "error.badGateway.heading": "The clinic's system does not answer",
  "error.badGateway.body":
    "You were let in, but the system behind this door cannot be reached. Please try again in a few minutes.",
  "error.gatewayTimeout.heading": "The clinic's system takes too long",
  "error.gatewayTimeout.body":
    "You were let in, but the system behind this door did not answer in time. If you were saving something, check whether it was saved before you do it again.",
} as const;
