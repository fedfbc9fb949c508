/** Instants as people and programs write them: RFC 3339, with a zone, and only such as exist. */

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d)(?::(\d\d)(\.\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)$/;

/** Milliseconds since 1970; `undefined` for anything else, such as 30 February or a time without a zone. */
export function parseInstant(text: string): number | undefined {
  const [, year, month, day] = RFC3339.exec(text) ?? [];
  if (year === undefined) return undefined;
  const ms = Date.parse(text.toUpperCase());
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  return Number.isNaN(ms) || date.getUTCDate() !== Number(day) ? undefined : ms;
}

/** Milliseconds since 1970 as RFC 3339, in UTC. */
export function formatInstant(ms: number): string {
  return new Date(ms).toISOString();
}
