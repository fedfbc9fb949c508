/** What to say beside the fields of a place that was refused, in the reader's language: what to write instead. */
import { formatPrefix, isBroad, networkOf, parseAddress } from "../core/address.ts";
import { MAX_LABEL } from "../core/entry-input.ts";
import type { Translate } from "../look/language.ts";
import type { OwnerCall } from "./portal-frame.ts";

export async function placeAdvice({ text, form }: OwnerCall): Promise<Record<"cidr" | "label", string>> {
  return { cidr: cidrAdvice(text, form["cidr"]?.trim() ?? ""), label: text("links.wrong.label", { max: MAX_LABEL }) };
}

function cidrAdvice(text: Translate, typed: string): string {
  const [written = "", length] = typed.split("/", 2);
  // Some programs read a leading zero as octal; nobody who types one means that.
  const address = parseAddress(written.includes(":") ? written : written.replace(/(^|\.)0+(?=\d)/g, "$1"));
  if (address === undefined) return text("portal.refused.address");
  if (length === undefined) return text("portal.wrong.address", { address: address.text });
  const most = address.family === 4 ? 32 : 128;
  if (!/^\d{1,3}$/.test(length) || Number(length) > most) return text("portal.wrong.length", { most });
  const network = networkOf(address, Number(length));
  if (isBroad(network)) return text("portal.refused.broad");
  return text("portal.wrong.network", { network: formatPrefix(network), address: address.text });
}
