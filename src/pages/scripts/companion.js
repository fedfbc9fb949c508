/** In the same click enrols the visitor's address of the other family: asks a host that only that family reaches. */

for (const place of document.querySelectorAll("[data-companion]")) void enrol(place);

async function enrol(place) {
  try {
    const answer = await fetch(place.dataset.companion, { method: "POST", credentials: "omit" });
    place.hidden = !answer.ok;
  } catch {
    // There is no such address: most connections have but one family.
  }
}
