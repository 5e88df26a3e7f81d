// Behavior of the components, by delegation from data attributes: what HTMX swaps in works at once.
(() => {
  "use strict";
  const $ = (selector, from = document) => from.querySelector(selector);
  const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
  const texts = () => $("#setia-texts").dataset;

  // --- Telling ---------------------------------------------------------------------------------

  function announce(text) {
    const place = $("#announcer");
    place.textContent = "";
    setTimeout(() => (place.textContent = text), 50);
  }

  function leaveAfter(toast, delay) {
    let timer;
    const start = () => (timer = setTimeout(() => toast.remove(), delay));
    const stop = () => clearTimeout(timer);
    toast.addEventListener("mouseenter", stop);
    toast.addEventListener("focusin", stop);
    toast.addEventListener("mouseleave", start);
    toast.addEventListener("focusout", start);
    start();
  }

  function settleToast(toast) {
    // What went wrong stays until it is dismissed; an Undo stays long enough to be reached.
    if (toast.matches(".toast-error, .toast-warning")) return;
    leaveAfter(toast, $("[data-toast-undo]", toast).hidden ? 6000 : 15000);
  }

  function showToast({ level, text, undo }) {
    const toast = $("#toast-template").content.firstElementChild.cloneNode(true);
    toast.classList.remove("toast-info");
    toast.classList.add(`toast-${level}`);
    $("[data-toast-text]", toast).textContent = text;
    if (undo) {
      const form = $("[data-toast-undo]", toast);
      form.action = undo;
      form.hidden = false;
    }
    // A modal dialog makes everything outside it inert, so the toasts move into it.
    const open = $$("dialog[open]").pop();
    const place = $("#toasts");
    (open || document.body).append(place);
    place.append(toast);
    settleToast(toast);
  }

  document.addEventListener("setia:toast", (event) => event.detail.items.forEach(showToast));

  // --- Dialogs ---------------------------------------------------------------------------------

  let opener = null;

  function openDialog(dialog) {
    if (!dialog.open) dialog.showModal();
  }

  function closeDialog(dialog) {
    if (dialog && dialog.open) dialog.close();
  }

  function focusInside(part) {
    const target =
      $("[data-focus]", part) ||
      $("[autofocus]", part) ||
      $("input:not([type=hidden]), select, textarea", part) ||
      $("button:not(.btn-close), a[href]", part);
    if (target) target.focus({ preventScroll: false });
  }

  function loadDialog(link) {
    if (link.dataset.busy) return;
    link.dataset.busy = "1";
    opener = link;
    htmx
      .ajax("GET", link.href, { target: "#dialog-body", swap: "innerHTML" })
      .finally(() => delete link.dataset.busy);
  }

  document.addEventListener("setia:dialog-close", () => closeDialog($("#dialog")));

  document.addEventListener(
    "close",
    (event) => {
      document.body.append($("#toasts"));
      if (event.target.id !== "dialog") return;
      $("#dialog-body").replaceChildren();
      if (opener && opener.isConnected) opener.focus();
      opener = null;
    },
    true,
  );

  function askFirst(form, submitter) {
    const dialog = $("#confirm");
    const { confirmTitle, confirmText, confirmAction, confirmKind } = form.dataset;
    $("#confirm-title").textContent = confirmTitle;
    $("#confirm-text").textContent = confirmText;
    const action = $("#confirm-action");
    action.textContent = confirmAction;
    action.className = `btn btn-${confirmKind}`;
    dialog.returnValue = "cancel";
    dialog.addEventListener(
      "close",
      () => {
        if (dialog.returnValue !== "confirm") return;
        form.dataset.confirmed = "1";
        form.requestSubmit(submitter);
      },
      { once: true },
    );
    dialog.showModal();
    $("button[value=cancel]", dialog).focus();
  }

  // --- Forms: nothing acts twice ---------------------------------------------------------------

  function setBusy(form, busy) {
    if (busy) form.dataset.busy = "1";
    else delete form.dataset.busy;
    const buttons = $$("button[type=submit], input[type=submit]", form);
    buttons.forEach((button) => button.setAttribute("aria-disabled", String(busy)));
  }

  document.addEventListener(
    "submit",
    (event) => {
      const form = event.target;
      if (form.method === "dialog") return;
      const stop = () => {
        event.preventDefault();
        event.stopImmediatePropagation();
      };
      if (form.dataset.busy) return stop();
      if ("confirm" in form.dataset && !form.dataset.confirmed) {
        stop();
        return askFirst(form, event.submitter);
      }
      delete form.dataset.confirmed;
      if (form.method === "post") setBusy(form, true);
    },
    true,
  );

  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.detail.elt.closest("form");
    if (form && form.dataset.busy) setBusy(form, false);
  });

  // A page that comes back from the browser's cache must not come back busy.
  addEventListener("pageshow", (event) => {
    if (event.persisted) $$("form[data-busy]").forEach((form) => setBusy(form, false));
  });

  // --- HTMX ------------------------------------------------------------------------------------

  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr } = event.detail;
    // The session has ended: a sign-in page must not appear inside a panel.
    if (xhr.responseURL && new URL(xhr.responseURL).pathname === texts().loginPath) {
      event.detail.shouldSwap = false;
      location.reload();
    }
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    const { target } = event.detail;
    if (target.id === "dialog-body" && target.childElementCount) {
      openDialog($("#dialog"));
      focusInside(target);
    }
    if (target.id === "search-results") showFound(target);
  });

  document.addEventListener("htmx:afterSettle", (event) => {
    const part = event.detail.elt;
    const spoken = part.matches("[data-announce]") ? part : $("[data-announce]", part);
    if (spoken) announce(spoken.dataset.announce);
    if (!part.closest("#dialog")) $("[data-focus]", part)?.focus();
    drawCharts(part);
  });

  function failedPanel(panel) {
    const body = $("[data-lazy-body]", panel);
    if (!body) return false;
    panel.removeAttribute("aria-busy");
    body.replaceChildren($("#panel-failed-template").content.cloneNode(true));
    return true;
  }

  function requestFailed(event, text) {
    const panel = event.detail.elt.closest("[data-lazy]");
    if (panel && failedPanel(panel)) return;
    showToast({ level: "error", text });
  }

  document.addEventListener("htmx:responseError", (event) => {
    const words = texts();
    const text = { 403: words.forbidden, 404: words.gone }[event.detail.xhr.status];
    requestFailed(event, text || words.failed);
  });
  document.addEventListener("htmx:sendError", (event) => requestFailed(event, texts().offline));

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
    if (event.key === "?" && $("#shortcuts")) return openDialog($("#shortcuts"));
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

  // --- Clicks ----------------------------------------------------------------------------------

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

  async function copy(button) {
    await navigator.clipboard.writeText(button.dataset.copy);
    showToast({ level: "success", text: button.dataset.copied || button.dataset.copy });
  }

  const clicks = {
    "[data-dialog]": (link, event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      loadDialog(link);
    },
    "[data-dialog-close]": (button) => closeDialog(button.closest("dialog")),
    "[data-toast-close]": (button) => button.closest("[data-toast]").remove(),
    "[data-theme-choice]": (button) => {
      window.setiaTheme.choose(button.dataset.themeChoice);
      showTheme();
    },
    "[data-nav-open]": () => openNav(true),
    "[data-nav-close]": () => openNav(false),
    "[data-shortcuts-open]": () => openDialog($("#shortcuts")),
    "[data-copy]": (button) => copy(button),
    "[data-retry]": (button) => {
      const panel = button.closest("[data-lazy]");
      panel.setAttribute("aria-busy", "true");
      htmx.trigger(panel, "load");
    },
    "[data-chart-toggle]": (button) => toggleChart(button),
  };

  document.addEventListener("click", (event) => {
    for (const [selector, act] of Object.entries(clicks)) {
      const element = event.target.closest(selector);
      if (element) return act(element, event);
    }
    if (event.target.matches("dialog.dialog")) closeDialog(event.target);
  });

  document.addEventListener("click", (event) => {
    const inside = event.target.closest("details[data-menu]");
    $$("details[data-menu][open]").forEach((menu) => {
      if (menu !== inside || event.target.closest("[data-dialog], form[data-confirm] button")) menu.open = false;
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

  // --- Charts ----------------------------------------------------------------------------------

  let chartCode = null;

  function loadScript(source) {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = source;
      script.onload = resolve;
      script.onerror = reject;
      document.head.append(script);
    });
  }

  // The drawing code is large and few pages have a chart, so only those fetch it.
  function drawCharts(part) {
    if (!$("[data-chart]", part)) return;
    chartCode ||= texts()
      .chartsSrc.split(" ")
      .reduce((done, source) => done.then(() => loadScript(source)), Promise.resolve());
    chartCode.then(() => window.setiaCharts.drawAll(part)).catch(() => (chartCode = null));
  }

  function toggleChart(button) {
    const chart = button.closest("[data-chart]");
    const showTable = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(showTable));
    $("[data-chart-table]", chart).hidden = !showTable;
    $("[data-chart-canvas]", chart).hidden = showTable;
    $("[data-when-chart]", button).hidden = showTable;
    $("[data-when-table]", button).hidden = !showTable;
  }

  // --- Start -----------------------------------------------------------------------------------

  showTheme();
  $$("#toasts [data-toast]").forEach(settleToast);
  $("main [data-focus]")?.focus();
  const keySwitch = $("[data-shortcuts-switch]");
  if (keySwitch) keySwitch.checked = singleKeysOn();
  drawCharts(document);
})();
