/** Small additions to pages that work without them: countdown, copy, print, local times, sending on. */

enhance(document);
document.addEventListener("renewed", (event) => enhance(event.detail));
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
document.querySelector("form[data-send-on]")?.requestSubmit();

/** Also for what a page shows later. */
function enhance(root) {
  for (const button of root.querySelectorAll("[data-wait-seconds]")) countDown(button);
  for (const button of root.querySelectorAll("[data-copy]")) offerCopy(button);
  for (const button of root.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
  for (const time of root.querySelectorAll("time[datetime]")) {
    const format = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
    time.textContent = format.format(new Date(time.dateTime));
  }
  for (const form of root.querySelectorAll("form")) {
    // A second click must not send a second code or use a code twice.
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent === "yes") event.preventDefault();
      form.dataset.sent = "yes";
    });
  }
}

/** Disables a button for a while and says for how long. */
function countDown(button) {
  const label = button.textContent;
  const endsAt = Date.now() + Number(button.dataset.waitSeconds) * 1000;
  const tick = () => {
    const left = Math.ceil((endsAt - Date.now()) / 1000);
    button.disabled = left > 0;
    button.textContent = left > 0 ? `${label} (${left})` : label;
    if (left > 0) setTimeout(tick, 250);
  };
  tick();
}

function offerCopy(button) {
  if (navigator.clipboard === undefined) return;
  button.hidden = false;
  const label = button.textContent;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = button.dataset.copied;
    setTimeout(() => {
      button.textContent = label;
    }, 3000);
  });
}
