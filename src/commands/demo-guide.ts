/** What the demo tells a stranger to try, from top to bottom. */

import { OTHER_TOWN } from "./demo-elsewhere.ts";
import type { Owner } from "./demo-people.ts";

export const CLINICS = [
  { id: "happy-feet", name: "Happy Feet Podiatry", host: "happyfeet.localhost", doors: "a listed place and a sign-in" },
  { id: "bright-smiles", name: "Bright Smiles Dental", host: "brightsmiles.localhost", doors: "either of the two" },
] as const;
/** For machines, and so for curl. */
export const LAB = { id: "lab", name: "Marigold Laboratory", host: "lab.localhost", doors: "a listed place" } as const;

export interface Places {
  readonly port: number;
  readonly elsewherePort: number;
  /** The admin API's URL. */
  readonly admin: string;
  readonly adminKeyFile: string;
  readonly mailFolder: string;
}

export function guide(places: Places, owner: Owner): string {
  const { port, elsewherePort, admin, adminKeyFile, mailFolder } = places;
  const [first] = CLINICS;
  const site = (host: string, at = port): string => `http://${host}:${at}/`;
  const rows = [...CLINICS, LAB].map(
    ({ name, host, doors }) => `  ${name.padEnd(22)}${site(host).padEnd(38)}${doors}\n`,
  );
  return `
Sallyport stands in front of two clinics and a laboratory. Nobody is on their lists yet. To get in takes

${rows.join("")}
THE FIRST DOOR: WHERE. In a second terminal:

  1. Knock, and be blocked (403):
     curl -i ${site(LAB.host)}
  2. Admit this machine by the admin API:
     curl -H "Authorization: Bearer $(cat ${adminKeyFile})" -H 'Content-Type: application/json' \\
       -d '{"cidr": "127.0.0.1", "label": "my desk"}' '${admin}/v1/tenants/${LAB.id}/allowlist?wait=applied'
  3. Knock again, and be let in (200):
     curl -i ${site(LAB.host)}
  4. Knock from another town (403): whoever comes to port ${elsewherePort} seems to be at ${OTHER_TOWN}.
     curl -i ${site(LAB.host, elsewherePort)}

THE SECOND DOOR: WHO. In a browser:

  5. Open ${site(first.host)}, be blocked, sign in as its owner, and add the place where you are:
       ${owner.email}, ${owner.password}, and a code, which this shows:
       npm run -s demo code ${owner.secret}
  6. Be elsewhere: the same page at ${site(first.host, elsewherePort)} is blocked, though you are signed in.
  7. Send a whitelist link to kim@elsewhere.example, from ${site(first.host)}.sallyport/portal/links
     It comes below. Open it with port ${elsewherePort} instead of ${port}: one click, no login, and that town is let in.
  8. Be Robin, receptionist of both clinics, in another browser or a private window: open her two invitations
     below. Each clinic enrols her by itself. Her codes: npm run -s demo code "KEY AS THE PAGE SHOWS IT"

The admin API explains itself at ${admin}/docs. Ctrl-C ends everything and leaves nothing behind.
Mails, as .eml files in ${mailFolder}:

`;
}
