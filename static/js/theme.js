// Runs before the first paint, so that a chosen theme never flashes the other one.
(() => {
  "use strict";
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");

  function chosen() {
    try {
      return localStorage.getItem("setia-theme") || "auto";
    } catch {
      return "auto";
    }
  }

  function apply() {
    const choice = chosen();
    const theme = choice === "auto" ? (dark.matches ? "dark" : "light") : choice;
    if (root.getAttribute("data-bs-theme") === theme) return;
    root.setAttribute("data-bs-theme", theme);
    document.dispatchEvent(new CustomEvent("setia:theme", { detail: { theme } }));
  }

  root.classList.add("js");
  apply();
  dark.addEventListener("change", apply);
  addEventListener("storage", apply);

  window.setiaTheme = {
    chosen,
    choose(choice) {
      try {
        localStorage.setItem("setia-theme", choice);
      } catch {
        // A browser that stores nothing keeps the system's theme.
      }
      apply();
    },
  };
})();
