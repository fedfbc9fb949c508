/** A tenant's accent colour, made readable in light and dark. */

type Rgb = readonly [number, number, number];

/** The grounds that the accent must stand out from; the same as in `base.css`. */
export const LIGHT_GROUND = "#edf2f1";
export const DARK_GROUND = "#1a2422";
export const DEFAULT_ACCENT = "#1c5d57";
/** WCAG 2.2 success criterion 1.4.3 for text of any size. */
const LEAST_CONTRAST = 4.5;

/** An accent for both themes, each with a contrast of at least 4.5:1 against its grounds and its button text. */
export interface AccentPair {
  readonly light: string;
  readonly dark: string;
}

/** @param accent `#rrggbb`; anything else gives Sallyport's own accent. */
export function accentPair(accent: string | undefined): AccentPair {
  const wanted = parseHex(accent) ?? parseHex(DEFAULT_ACCENT) ?? [0, 0, 0];
  return {
    light: readable(wanted, LIGHT_GROUND, [0, 0, 0]),
    dark: readable(wanted, DARK_GROUND, [255, 255, 255]),
  };
}

/** WCAG 2.2's contrast ratio of two `#rrggbb` colours, 1 to 21. */
export function contrastRatio(one: string, other: string): number {
  return ratio(parseHex(one) ?? [0, 0, 0], parseHex(other) ?? [0, 0, 0]);
}

/** The colour nearest to the wanted one, on its way to `pole`, that is readable on `ground`. */
function readable(wanted: Rgb, ground: string, pole: Rgb): string {
  const background = parseHex(ground) ?? pole;
  for (let step = 0; step < 50; step++) {
    const candidate = mix(wanted, pole, step / 50);
    if (ratio(candidate, background) >= LEAST_CONTRAST) return formatHex(candidate);
  }
  return formatHex(pole);
}

function mix(from: Rgb, to: Rgb, share: number): Rgb {
  const channel = (index: 0 | 1 | 2): number => Math.round(from[index] + (to[index] - from[index]) * share);
  return [channel(0), channel(1), channel(2)];
}

function ratio(one: Rgb, other: Rgb): number {
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

function luminance([red, green, blue]: Rgb): number {
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

function linear(channel: number): number {
  const value = channel / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

function parseHex(text: string | undefined): Rgb | undefined {
  if (text === undefined || !/^#[0-9a-f]{6}$/i.test(text)) return undefined;
  const bits = Number.parseInt(text.slice(1), 16);
  return [bits >> 16, (bits >> 8) & 255, bits & 255];
}

function formatHex([red, green, blue]: Rgb): string {
  return `#${((red << 16) | (green << 8) | blue).toString(16).padStart(6, "0")}`;
}
