/** Sallyport itself, with one edge worker. */
import type { Contestant } from "../job.ts";

const notYet = (name: string, doors: Contestant["doors"]): Contestant => ({
  name,
  doors,
  start: async () => {
    throw new Error("x");
  },
});
export const sallyportBoth = notYet("Sallyport, both doors", "both");
export const sallyportLocation = notYet("Sallyport, location only", "location");
export const sallyportForwardOnly = notYet("Sallyport, forwarding only", "none");
