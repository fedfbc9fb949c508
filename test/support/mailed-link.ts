/** The link in a mail that a local server received. */
import { once } from "node:events";
import type { SmtpServer } from "./smtp.ts";

/** The first link to this page in the newest mail to somebody, once it has come. @param page as in `/.sallyport/{page}/{token}` */
export async function mailedLink(server: SmtpServer, to: string, page: string): Promise<string> {
  for (;;) {
    const mail = server.mails.findLast((one) => one.to.includes(to));
    // Quoted-printable (RFC 2045): soft line ends, and the one escape that stands in links.
    const text = mail?.data.replace(/=\r?\n/g, "").replaceAll("=3D", "=") ?? "";
    const link = new RegExp(`https?://\\S+/\\.sallyport/${page}/[\\w.-]+`).exec(text)?.[0];
    if (link !== undefined) return link;
    await once(server.arrivals, "mail");
  }
}
