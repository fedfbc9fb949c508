/** What kind of answer a client asks for. */

/** Whether the client named `text/html` and did not rule it out (RFC 9110 section 12.5.1). */
export function acceptsHtml(accept: string | undefined): boolean {
  for (const range of accept?.toLowerCase().split(",") ?? []) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim());
    if (type === "text/html") return !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
  }
  return false;
}
