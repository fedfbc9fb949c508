/** What came to a tenant's doors, on the wire. */
import Type from "typebox";
import { closed, InstantSchema } from "./parts.ts";

export const DenialSchema = Type.Object(
  {
    reference: Type.String({ description: "What the page showed." }),
    at: InstantSchema,
    address: Type.String(),
    method: Type.String(),
    path: Type.String({ description: "Without query and tokens." }),
    reason: Type.String({
      description: "observed: let pass only because the tenant observes.",
      examples: ["not-on-allowlist"],
    }),
  },
  { ...closed, $id: "Denial" },
);

const PlaceSchema = Type.Object(
  {
    cidr: Type.String({ description: "What would have to be admitted." }),
    address: Type.String({ description: "The latest." }),
    count: Type.Integer({ description: "Requests; at least so many." }),
    firstAt: InstantSchema,
    lastAt: InstantSchema,
    lastReference: Type.String(),
    lastPath: Type.String(),
  },
  closed,
);

export const PlacesReportSchema = Type.Object(
  {
    days: Type.Integer(),
    items: Type.Array(PlaceSchema, { description: "Those with the most first." }),
    total: Type.Integer({ description: "How many places there are; items may be fewer." }),
  },
  { ...closed, $id: "PlacesReport" },
);

export const ActivityReportSchema = Type.Object(
  {
    items: Type.Array(
      Type.Object(
        {
          day: Type.String({ format: "date", description: "In UTC." }),
          admitted: Type.Integer(),
          blocked: Type.Integer(),
          signIn: Type.Integer({ description: "Sent to the sign-in." }),
          observed: Type.Integer({ description: "Of those admitted: only because the tenant observes." }),
        },
        closed,
      ),
      { description: "The oldest first, today last." },
    ),
  },
  { ...closed, $id: "ActivityReport" },
);
