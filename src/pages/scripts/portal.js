/** Shows the portal's page anew when something has changed, unless somebody is busy on it; without scripts a reload does. */

const live = document.querySelector("[data-live]");
let stale = false;

if (live !== null) {
  new EventSource(live.dataset.live).addEventListener("change", () => {
    stale = true;
    renew();
  });
  document.addEventListener("visibilitychange", renew);
  document.addEventListener("focusout", () => setTimeout(renew, 200));
}

function renew() {
  const shown = document.querySelector("[data-live]");
  if (!stale || document.hidden || isBusy(shown)) return;
  stale = false;
  const call = new XMLHttpRequest();
  // The browser parses it, so that no text of ours has to be turned into markup.
  call.responseType = "document";
  const address = new URL(location.href);
  address.searchParams.set("live", "1");
  call.open("GET", address);
  call.addEventListener("load", () => {
    const fresh = call.status === 200 ? call.response?.querySelector("[data-live]") : null;
    if (!fresh || isBusy(shown)) return;
    const renewed = document.importNode(fresh, true);
    shown.replaceWith(renewed);
    document.dispatchEvent(new CustomEvent("renewed", { detail: renewed }));
  });
  call.send();
}

/** Typing, choosing or reading something that was opened. */
function isBusy(shown) {
  if (shown.contains(document.activeElement) || shown.querySelector("details[open]") !== null) return true;
  return [...shown.querySelectorAll("input:not([type=hidden]), textarea, select")].some(
    (input) => input.value !== input.defaultValue && input.defaultValue !== undefined,
  );
}
