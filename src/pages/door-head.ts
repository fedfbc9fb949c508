/** The two doors at the head of the sign-in pages, as this visitor finds them. */
import { doors } from "../look/doors.ts";
import type { Html } from "../look/html.ts";
import type { Call } from "./route.ts";

/** @param person where the visitor stands at the second door */
export function doorHead({ visit, text }: Call, person: "here" | "open" = "here"): Html {
  const shut = visit.tenant.policy.network === "enforce" && !visit.located;
  return doors(text, shut ? "shut" : "open", person);
}
