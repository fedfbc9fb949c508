/** Texts of the pages by which places get onto the list: links, shortcuts, requests. */
export const PLACES_EN_GB = {
  "allow.title": "Add the place you are at",
  "allow.linkWhy":
    "{tenant} has sent you this link. With one click, the place you are at is let in; no login is needed.",
  "allow.shortcutWhy": "This shortcut adds the place you are at to the list of {tenant}.",
  "allow.label": "For",
  "allow.add": "Add this place",
  "allow.linkHint": "Nothing happens until you click. If you did not expect this link, close the page.",
  "allow.shortcutHint": "The place that this shortcut added before goes off the list.",
  "allow.signInWhy": "The shortcut is new at this place. Sign in first, to show that it is you.",
  "allow.doneTitle": "You are in",
  "allow.done": "{tenant} lets this place in from now on.",
  "allow.until": "It stays on the list until",
  "allow.companion": "Your connection has a second address; it was added too.",
  "allow.onward": "Go on to {tenant}",
  "allow.refusedTitle": "This place was not added",
  "allow.full": "The list of {tenant} is full. Ask the account owner to remove places that nobody uses any more.",
} as const;
