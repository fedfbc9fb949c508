/** What the shapes on the wire are made of: closed objects, and moments. */
import Type from "typebox";

/** Of an object that takes no key but its own. */
export const closed = { additionalProperties: false } as const;

/** RFC 3339. */
export const InstantSchema = Type.String({ format: "date-time" });

export function describedInstant(description: string) {
  return Type.String({ format: "date-time", description });
}
