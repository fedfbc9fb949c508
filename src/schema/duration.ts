/** Durations on the wire: `90s`, `60m`, `12h`, `30d`, or whole seconds; in the core they are seconds. */
import Type from "typebox";

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
const PATTERN = "^(0|[1-9][0-9]{0,8})[smhd]$";

export function durationSchema(description: string, fallback: string | number) {
  return Type.Union([Type.String({ pattern: PATTERN }), Type.Integer({ minimum: 0, maximum: 1_000_000_000 })], {
    description,
    default: fallback,
    errorMessage: "must be a duration such as 90s, 15m, 12h or 30d, or whole seconds",
  });
}

/** Seconds of a duration that {@link durationSchema} has admitted. */
export function durationSeconds(value: string | number): number {
  if (typeof value === "number") return value;
  return Number(value.slice(0, -1)) * (SECONDS[value.slice(-1)] ?? Number.NaN);
}

/** The largest unit of which there are at least two, so that an hour stays `60m`; 0 stays a number. */
export function formatDuration(seconds: number): string | number {
  if (seconds === 0) return 0;
  for (const unit of ["d", "h", "m"]) {
    const size = SECONDS[unit] ?? 1;
    if (seconds >= 2 * size && seconds % size === 0) return `${seconds / size}${unit}`;
  }
  return `${seconds}s`;
}
