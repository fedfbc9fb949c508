/** Holds the passkey ceremony of a form, then sends the form with the browser's answer in it. */

const { browserSupportsWebAuthn, startAuthentication, startRegistration } = globalThis.SimpleWebAuthnBrowser;

if (browserSupportsWebAuthn()) {
  for (const note of document.querySelectorAll("[data-passkey-absent]")) note.hidden = true;
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      if (form.elements.response.value !== "") return;
      event.preventDefault();
      event.stopImmediatePropagation();
      void hold(form);
    });
  }
} else {
  for (const part of document.querySelectorAll("[data-needs-passkey]")) part.hidden = true;
}

async function hold(form) {
  const failed = form.querySelector("[data-passkey-failed]");
  const button = form.querySelector("button");
  failed.hidden = true;
  button.disabled = true;
  try {
    const { options: optionsJSON, fields } = await begin(form);
    for (const [name, value] of Object.entries(fields)) form.elements[name].value = value;
    const ceremony = form.dataset.passkey === "create" ? startRegistration : startAuthentication;
    form.elements.response.value = JSON.stringify(await ceremony({ optionsJSON }));
    form.submit();
  } catch {
    // Cancelled, timed out, or no key at hand: the person may try again.
    form.elements.response.value = "";
    failed.hidden = false;
    button.disabled = false;
  }
}

async function begin(form) {
  const body = { proof: form.dataset.proof };
  for (const name of form.dataset.tells.split(" ")) {
    if (form.elements[name] !== undefined) body[name] = form.elements[name].value;
  }
  const headers = { "content-type": "application/json" };
  const answer = await fetch(form.dataset.begin, { method: "POST", headers, body: JSON.stringify(body) });
  if (answer.status === 401) location.assign((await answer.json()).location);
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  return await answer.json();
}
