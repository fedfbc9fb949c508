/** The sample clinic's two pages. */
import { APPOINTMENTS, type Patient } from "./patients.ts";

const STYLE = `
:root { color-scheme: light dark; --ink: light-dark(#1d2b28, #e6efec); --soft: light-dark(#5c6f6a, #9db3ad);
  --ground: light-dark(#f3f7f5, #101816); --card: light-dark(#fff, #182320); --line: light-dark(#dbe6e2, #2a3a35); --accent: light-dark(#0b6e4f, #5fd0a8); }
* { box-sizing: border-box }
body { margin: 0; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground) }
header { border-bottom: 1px solid var(--line); background: var(--card) }
header > div, main { max-width: 56rem; margin: 0 auto; padding: 1rem 1.5rem }
header > div { display: flex; justify-content: space-between; gap: 1rem; flex-wrap: wrap; align-items: baseline }
header strong { font-size: 1.1rem; color: var(--accent) }
small, td small { color: var(--soft) }
h1 { font-size: 1.5rem; margin: 1rem 0 }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1rem 1.25rem; margin-bottom: 1rem; overflow-x: auto }
table { border-collapse: collapse; width: 100% }
th { text-align: left; color: var(--soft); font-weight: 500; font-size: .875rem }
th, td { padding: .55rem .75rem .55rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
tr:last-child td { border-bottom: 0 }
a { color: var(--accent) }`;

/** Who reads the page, and whose it is. */
export interface Reader {
  readonly clinic: string;
  readonly address: string;
  /** Absent where the clinic asks nobody to sign in. */
  readonly person: string | undefined;
}

function page(title: string, { clinic, address, person }: Reader, content: string): string {
  const who =
    person === undefined
      ? ""
      : ` · <a href="/.sallyport/account">${encode(person)}</a> · <a href="/.sallyport/sign-out">Sign out</a>`;
  return `<!doctype html>
<html lang="en-GB">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${encode(title)} – ${encode(clinic)}</title>
<style>${STYLE}</style>
<header><div><strong>${encode(clinic)}</strong><small>You come from ${encode(address)}${who}</small></div></header>
<main>${content}</main>
</html>
`;
}

export function renderDay(reader: Reader): string {
  const rows = APPOINTMENTS.map(
    ({ at, patient, reason, clinician }) =>
      `<tr><td>${at}<td><a href="/patients/${patient.id}">${encode(patient.name)}</a><td>${encode(reason)}<td>${encode(clinician)}`,
  ).join("\n");
  const content = `<h1>Today's appointments</h1>
<div class="card"><table><thead><tr><th scope="col">Time<th scope="col">Patient<th scope="col">Reason<th scope="col">With<tbody>
${rows}
</table></div>
<div class="card"><strong>Waiting room</strong><br><span id="next" aria-live="polite">connecting…</span></div>
<p><a href="/appointments.csv">Download the day as CSV</a></p>
<script>
const next = document.getElementById("next");
const events = new EventSource("/waiting-room");
events.onmessage = ({ data }) => { const room = JSON.parse(data); next.textContent = room.time + ": " + room.next + " is next"; };
events.onerror = () => { next.textContent = "the connection was closed"; };
</script>`;
  return page("Today", reader, content);
}

export function renderPatient(reader: Reader, patient: Patient): string {
  const notes = patient.notes.map((note) => `<li>${encode(note)}`).join("");
  const content = `<p><a href="/">← Today</a></p><h1>${encode(patient.name)}</h1>
<div class="card"><small>Born ${encode(patient.born)}</small><ul>${notes}</ul></div>`;
  return page(patient.name, reader, content);
}

function encode(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
