// On the card's page: has it kept for when there is no network.
(() => {
  "use strict";
  if (!("serviceWorker" in navigator)) return;
  const card = document.querySelector("[data-keep-card]");
  const offline = document.querySelector("[data-when-offline]");

  function parts() {
    const links = [...document.querySelectorAll("link[rel=stylesheet], link[rel=icon]")];
    const scripts = [...document.querySelectorAll("script[src]")];
    return [...links.map((link) => link.href), ...scripts.map((script) => script.src)];
  }

  async function keep() {
    await navigator.serviceWorker.register(card.dataset.keepCard);
    const { active } = await navigator.serviceWorker.ready;
    navigator.serviceWorker.addEventListener("message", ({ data }) => {
      card.dataset.kept = data.kept;
    });
    active.postMessage({ keep: location.pathname, parts: parts() });
  }

  if (card && navigator.onLine) keep().catch(() => {});
  if (offline) {
    const show = () => (offline.hidden = navigator.onLine);
    addEventListener("online", show);
    addEventListener("offline", show);
    show();
  }
})();
