// On the card's page: has it kept for when there is no network.
(() => {
  "use strict";
  if (!("serviceWorker" in navigator)) return;
  const card = document.querySelector("[data-keep-card]");

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
    active.postMessage({ keep: location.pathname, parts: parts(), owner: card.dataset.cardOf });
  }

  // Without a network there is nothing new to keep.
  if (card) keep().catch(() => {});
})();
