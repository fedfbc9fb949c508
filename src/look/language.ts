/** Which language a person reads, and a typed look-up in its catalogue. */
import { EN_GB } from "./texts.en-GB.ts";
import { NL } from "./texts.nl.ts";

type English = typeof EN_GB;
export type TextKey = keyof English;
/** A text that counts: forms by `Intl.PluralRules` category, `other` always present. */
export type Plural = { readonly other: string } & { readonly [form in "one" | "two" | "few" | "many"]?: string };
/** A complete language: the English keys, each plain where English is plain and counting where it counts. */
export type Catalogue = { readonly [Key in TextKey]: English[Key] extends string ? string : Plural };

type PlaceholderOf<Text> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | PlaceholderOf<Rest> : never;
type EnglishForm<Key extends TextKey> = English[Key] extends string ? English[Key] : English[Key][keyof English[Key]];
type Values<Key extends TextKey> = {
  readonly [Name in PlaceholderOf<EnglishForm<Key>>]: Name extends "count" ? number : string | number;
};
type Arguments<Key extends TextKey> = [PlaceholderOf<EnglishForm<Key>>] extends [never] ? [] : [values: Values<Key>];

/** The keys of texts that need no values. */
export type PlainKey = { [Key in TextKey]: Arguments<Key> extends [] ? Key : never }[TextKey];

/** Looks a text up and fills it in; the placeholders that it needs are known to the type checker. */
export type Translate = <Key extends TextKey>(key: Key, ...values: Arguments<Key>) => string;

const CATALOGUES = { "en-GB": EN_GB, nl: NL } as const satisfies Record<string, Catalogue>;

/** A language that Sallyport speaks, as a BCP 47 tag. */
export type Language = keyof typeof CATALOGUES;
export const LANGUAGES = Object.keys(CATALOGUES) as readonly Language[];
export const DEFAULT_LANGUAGE: Language = "en-GB";

const TRANSLATORS = new Map<Language, Translate>(LANGUAGES.map((language) => [language, translatorOf(language)]));

/** The look-up for one language. */
export function translator(language: Language): Translate {
  return TRANSLATORS.get(language) ?? translatorOf(DEFAULT_LANGUAGE);
}

function translatorOf(language: Language): Translate {
  const catalogue: Catalogue = CATALOGUES[language];
  const rules = new Intl.PluralRules(language);
  return (key, ...args) => {
    const values: Readonly<Record<string, string | number>> = args[0] ?? {};
    const text: string | Plural = catalogue[key];
    const form = typeof text === "string" ? text : (text[formOf(rules, values["count"])] ?? text.other);
    return form.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
  };
}

function formOf(rules: Intl.PluralRules, count: string | number | undefined): keyof Plural {
  const form = rules.select(Number(count));
  return form === "zero" ? "other" : form;
}

/**
 * The best language for an `Accept-Language` field (RFC 9110 section 12.5.4; basic filtering by the primary
 * subtag). Reads at most ten ranges; anything else gives the default.
 */
export function negotiateLanguage(acceptLanguage: string | undefined): Language {
  if (acceptLanguage === undefined || acceptLanguage.length > 1000) return DEFAULT_LANGUAGE;
  let best: Language = DEFAULT_LANGUAGE;
  let bestQuality = 0;
  for (const range of acceptLanguage.split(",", 10)) {
    const match = /^\s*([a-z]{1,8}|\*)(?:-[a-z0-9-]+)?\s*(?:;\s*q=([01](?:\.\d{0,3})?)\s*)?$/i.exec(range);
    const quality = match === null ? 0 : Number(match[2] ?? "1");
    if (quality <= bestQuality) continue;
    const primary = match?.[1]?.toLowerCase();
    const language = primary === "*" ? DEFAULT_LANGUAGE : LANGUAGES.find((each) => each.split("-")[0] === primary);
    if (language === undefined) continue;
    best = language;
    bestQuality = quality;
  }
  return best;
}
