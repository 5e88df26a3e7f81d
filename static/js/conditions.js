// The condition builder: Enter adds a value, and the focus goes where the change was.
(() => {
  "use strict";

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    const input = event.target;
    if (!(input instanceof HTMLInputElement) || !input.closest("[data-conditions]")) return;
    // Enter in a question must not send the form around it, half written.
    event.preventDefault();
    if ("chipInput" in input.dataset && input.value.trim()) {
      input.closest(".conditions-value").querySelector("[data-chip-add]").click();
    }
  });

  // Only browsers without scripts need it; in what HTMX swaps in it would be a field like others.
  function forgetPlainText(part) {
    part.querySelectorAll("[data-conditions] noscript").forEach((element) => element.remove());
  }

  document.addEventListener("DOMContentLoaded", () => forgetPlainText(document));
  document.addEventListener("htmx:load", (event) => forgetPlainText(event.detail.elt));

  document.addEventListener("htmx:afterSettle", (event) => {
    const builder = event.detail.elt.closest("[data-conditions]");
    builder?.querySelector("[data-focus]")?.focus();
  });
})();
