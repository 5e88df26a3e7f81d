// The frame around a page: its search box, keyboard shortcuts, menus and colors.
(() => {
  "use strict";
  const $ = (selector, from = document) => from.querySelector(selector);
  const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];

  // --- Search box ------------------------------------------------------------------------------

  const searchInput = () => $("#search-input");

  function showFound(list) {
    const filled = list.childElementCount > 0 && searchInput().value.trim() !== "";
    list.hidden = !filled;
    searchInput().setAttribute("aria-expanded", String(filled));
    searchInput().removeAttribute("aria-activedescendant");
    $$("[role=option]", list).forEach((option, index) => {
      option.id ||= `found-${index}`;
      option.setAttribute("aria-selected", "false");
    });
  }

  function hideFound() {
    const list = $("#search-results");
    if (!list || list.hidden) return;
    list.hidden = true;
    searchInput().setAttribute("aria-expanded", "false");
  }

  function moveInFound(step) {
    const options = $$("#search-results [role=option]");
    if (!options.length || $("#search-results").hidden) return false;
    const at = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
    const next = (at + step + options.length + (at < 0 && step < 0 ? 1 : 0)) % options.length;
    options.forEach((option, index) => option.setAttribute("aria-selected", String(index === next)));
    options[next].scrollIntoView({ block: "nearest" });
    searchInput().setAttribute("aria-activedescendant", options[next].id);
    return true;
  }

  function searchKey(event) {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (moveInFound(event.key === "ArrowDown" ? 1 : -1)) event.preventDefault();
    } else if (event.key === "Enter") {
      const chosen = $("#search-results:not([hidden]) [aria-selected=true]");
      if (chosen) {
        event.preventDefault();
        chosen.click();
      }
    } else if (event.key === "Escape") {
      hideFound();
    }
  }

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id === "search-results") showFound(event.detail.target);
  });

  // --- Keyboard --------------------------------------------------------------------------------

  let prefix = "";

  function singleKeysOn() {
    try {
      return localStorage.getItem("setia-shortcuts") !== "off";
    } catch {
      return true;
    }
  }

  const isTyping = (element) =>
    element.isContentEditable ||
    element.matches("textarea, select, input:not([type=checkbox]):not([type=radio])");

  function focusSearch(event) {
    if (!searchInput()) return;
    event.preventDefault();
    searchInput().focus();
    searchInput().select();
  }

  function follow(keys) {
    const target = $$("[data-shortcut]").find((element) => element.dataset.shortcut === keys);
    if (target) target.click();
    return Boolean(target);
  }

  function shortcut(event) {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      return focusSearch(event);
    }
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (!plain || isTyping(event.target) || $("dialog[open]") || !singleKeysOn()) return;
    if (event.key === "/") return focusSearch(event);
    if (event.key === "?" && $("#shortcuts")) return $("#shortcuts").showModal();
    if (event.key.length !== 1) return;
    const keys = prefix ? `${prefix} ${event.key}` : event.key;
    prefix = "";
    if (follow(keys)) return event.preventDefault();
    prefix = event.key;
    setTimeout(() => (prefix = ""), 1000);
  }

  document.addEventListener("keydown", (event) => {
    if (event.target.id === "search-input") searchKey(event);
    if (event.key === "Escape") {
      const menu = event.target.closest("details[data-menu][open]");
      if (menu) {
        menu.open = false;
        $("summary", menu).focus();
      }
      openNav(false);
    }
    shortcut(event);
  });

  // --- Menus -----------------------------------------------------------------------------------

  function openNav(open) {
    const button = $("[data-nav-open]");
    if (!button || document.body.classList.contains("nav-open") === open) return;
    document.body.classList.toggle("nav-open", open);
    button.setAttribute("aria-expanded", String(open));
    (open ? $(".shell-side a") : button).focus();
  }

  function showTheme() {
    const choice = window.setiaTheme.chosen();
    $$("[data-theme-choice]").forEach((button) =>
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === choice)),
    );
  }

  const clicks = {
    "[data-theme-choice]": (button) => {
      window.setiaTheme.choose(button.dataset.themeChoice);
      showTheme();
    },
    "[data-nav-open]": () => openNav(true),
    "[data-nav-close]": () => openNav(false),
    "[data-shortcuts-open]": () => $("#shortcuts").showModal(),
  };

  document.addEventListener("click", (event) => {
    for (const [selector, act] of Object.entries(clicks)) {
      const element = event.target.closest(selector);
      if (element) return act(element);
    }
  });

  document.addEventListener("click", (event) => {
    const inside = event.target.closest("details[data-menu]");
    $$("details[data-menu][open]").forEach((menu) => {
      if (menu !== inside || event.target.closest("[data-dialog], form[data-confirm] button, a[href^='#']")) menu.open = false;
    });
    if (!event.target.closest("[data-search]")) hideFound();
  });

  document.addEventListener("focusin", (event) => {
    $$("details[data-menu][open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
    if (!event.target.closest("[data-search]")) hideFound();
    if (event.target.id === "search-input") showFound($("#search-results"));
  });

  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-shortcuts-switch]")) return;
    localStorage.setItem("setia-shortcuts", event.target.checked ? "on" : "off");
  });

  // --- Countdowns --------------------------------------------------------------------------------
  // Beside the time that is written out: so much longer, in the reader's language.

  const lengths = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

  function countDown() {
    const words = new Intl.RelativeTimeFormat(document.documentElement.lang || "en", { numeric: "always" });
    $$("time[data-countdown]").forEach((place) => {
      const seconds = Math.round((Date.parse(place.dateTime) - Date.now()) / 1000);
      const [unit, length] = lengths.find((each) => seconds >= 2 * each[1]) || lengths[3];
      place.textContent = seconds > 0 ? `(${words.format(Math.floor(seconds / length), unit)})` : "";
    });
  }

  // --- Start -----------------------------------------------------------------------------------

  showTheme();
  countDown();
  if ($("time[data-countdown]")) setInterval(countDown, 1000);
  // Tabs that do not fit begin with the one that is open.
  $$(".tabs [aria-current]").forEach((link) => {
    const row = link.closest(".tabs");
    row.scrollLeft = link.offsetLeft - row.offsetLeft - (row.clientWidth - link.offsetWidth) / 2;
  });
  const keySwitch = $("[data-shortcuts-switch]");
  if (keySwitch) keySwitch.checked = singleKeysOn();
})();
