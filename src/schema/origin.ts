/** Web origins (RFC 6454) as browsers send them: scheme, host, and a port where it is not the default. */

/** What is wrong with the text as an http or https origin; `undefined` when it is one, written canonically. */
export function originIssue(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) {
    return "must be an origin such as https://app.clinic.example";
  }
  return url.origin === text ? undefined : `must be written as ${url.origin}`;
}
