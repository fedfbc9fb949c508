/** The `html` tagged template: everything interpolated is escaped for the place it stands in. */

/** Markup that is safe to send. Made only by {@link html}, {@link raw} and {@link trustedMarkup}. */
export class Html {
  readonly #markup: string;
  constructor(markup: string) {
    this.#markup = markup;
  }
  toString(): string {
    return this.#markup;
  }
}

/** What a template may interpolate. `undefined`, `null` and `false` render as nothing, arrays one after the other. */
export type Interpolation = Html | string | number | false | null | undefined | readonly Interpolation[];

/** `attributes`: inside a tag between attributes, where only markup may stand. */
type Hole = "text" | "url" | "image" | "attributes";

const HOLES = new WeakMap<TemplateStringsArray, readonly Hole[]>();
/** Stands for an interpolation further left; a URL that begins with one may still get its scheme from the next. */
const EARLIER_HOLE = "\u{e000}";
/** A tag that is still open, quotes minded. */
const OPEN_TAG = /<(?:[^<>"']|"[^"]*"|'[^']*')*(?:"[^"]*|'[^']*)?$/;
const OPEN_FROM_START = new RegExp(`^${OPEN_TAG.source}`);
/** A template that consists of attributes for another one's tag. */
const BARE_ATTRIBUTES = /^\s*[^\s"'<>/=]+=["'][^<>]*$/;
/** An attribute whose quoted value is still open: name and value so far. */
const OPEN_ATTRIBUTE = /\s([^\s"'<>/=]+)\s*=\s*["']((?<==\s*")[^"]*|(?<==\s*')[^']*)$/;
const BETWEEN_ATTRIBUTES = /(?:\s|["']|\u{e000}|^<[a-z][a-z0-9-]*)$/u;
const UNSAFE = /[&<>"'`]/;
const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
  "`": "&#96;",
};

/** Escapes text for an element's content and for a quoted attribute alike. */
export function escapeHtml(text: string): string {
  return UNSAFE.test(text) ? text.replace(/[&<>"'`]/g, (character) => ENTITIES[character] ?? "") : text;
}

/**
 * Builds markup. Text is escaped; `Html` goes in as it is. A value that begins an `href`, `src`, `action`
 * or `formaction` must be a URL of a harmless kind, or it becomes `#`.
 * @throws TypeError for a template that interpolates where no escaping is safe: an unquoted attribute, a
 *   tag's or attribute's name, an event handler or `style` attribute, inside `<script>`, `<style>` or a comment.
 */
export function html(strings: TemplateStringsArray, ...values: readonly Interpolation[]): Html {
  let holes = HOLES.get(strings);
  if (holes === undefined) {
    holes = classifyHoles(strings);
    HOLES.set(strings, holes);
  }
  let markup = strings[0] ?? "";
  for (let index = 0; index < values.length; index++) {
    markup += render(values[index], holes[index] ?? "text") + (strings[index + 1] ?? "");
  }
  return new Html(markup);
}

/** Constant markup written in the source, with nothing interpolated. */
export function raw(strings: TemplateStringsArray): Html {
  if (strings.length !== 1) throw new TypeError("raw`…` takes no interpolation");
  return new Html(strings[0] ?? "");
}

/** Declares a string to be safe markup. Only for what the program itself has made, never for data. */
export function trustedMarkup(markup: string): Html {
  return new Html(markup);
}

function render(value: Interpolation, hole: Hole): string {
  if (value === undefined || value === null || value === false) return "";
  if (value instanceof Html) return value.toString();
  if (Array.isArray(value)) {
    let markup = "";
    for (const item of value) markup += render(item, hole);
    return markup;
  }
  if (hole === "attributes") throw new TypeError("html: only html`…` may add attributes");
  const text = String(value);
  return escapeHtml(hole === "text" ? text : harmlessUrl(text, hole));
}

/** A path on this host, a fragment, or one of the few schemes that run nothing; anything else becomes `#`. */
function harmlessUrl(url: string, hole: Hole): string {
  // Browsers drop tabs and line ends inside a URL and read "\" as "/", which is how "/\evil" leaves the host.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u0020\u007f\\]/.test(url)) return "#";
  if (/^(?:$|[#?]|\/(?!\/))/.test(url)) return url;
  if (hole === "image") return /^data:image\/(?:png|jpeg|webp|svg\+xml);base64,[A-Za-z0-9+/=]*$/.test(url) ? url : "#";
  return /^(?:https?:\/\/|mailto:|tel:|otpauth:\/\/)/i.test(url) ? url : "#";
}

function classifyHoles(strings: TemplateStringsArray): Hole[] {
  const holes: Hole[] = [];
  let before = "";
  for (const part of strings.slice(0, -1)) {
    before += part;
    holes.push(classifyHole(before));
    before += EARLIER_HOLE;
  }
  return holes;
}

function classifyHole(before: string): Hole {
  if (
    insideOf(before, "script") ||
    insideOf(before, "style") ||
    before.lastIndexOf("<!--") > before.lastIndexOf("-->")
  ) {
    throw new TypeError(`html: no interpolation inside script, style or a comment: …${before.slice(-60)}`);
  }
  const tag = OPEN_TAG.exec(before)?.[0] ?? (BARE_ATTRIBUTES.test(before) ? ` ${before}` : undefined);
  if (tag === undefined) return "text";
  const [, name, value] = OPEN_ATTRIBUTE.exec(tag) ?? [];
  if (name === undefined || value === undefined) {
    if (BETWEEN_ATTRIBUTES.test(tag)) return "attributes";
    throw new TypeError(`html: quote the attribute: …${tag.slice(-60)}`);
  }
  if (/^(?:on.*|style|srcdoc)$/i.test(name)) throw new TypeError(`html: no interpolation in ${name}`);
  if (value.replaceAll(EARLIER_HOLE, "") !== "") return "text";
  if (/^src$/i.test(name)) return "image";
  return /^(?:href|action|formaction)$/i.test(name) ? "url" : "text";
}

/** In the element's content; the attributes of its tag are as those of any other. */
function insideOf(before: string, element: string): boolean {
  const start = before.lastIndexOf(`<${element}`);
  return start > before.lastIndexOf(`</${element}`) && !OPEN_FROM_START.test(before.slice(start));
}
