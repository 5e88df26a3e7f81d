// Behavior of the components, by delegation from data attributes: what HTMX swaps in works at once.
(() => {
  "use strict";
  // What was swapped in is ready at once: a quick hand, or a key that is held, is not too early.
  if (window.htmx) window.htmx.config.defaultSettleDelay = 0;
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

  function focusOpener() {
    if (!opener || !opener.isConnected) return;
    // In a menu it is hidden by now, for the menu has closed behind it: what opens that is there.
    const menu = opener.closest("details[data-menu]:not([open])");
    (menu ? $("summary", menu) : opener).focus();
  }

  document.addEventListener("setia:dialog-close", () => closeDialog($("#dialog")));

  document.addEventListener(
    "close",
    (event) => {
      document.body.append($("#toasts"));
      if (event.target.id !== "dialog") return;
      $("#dialog-body").replaceChildren();
      focusOpener();
      opener = null;
    },
    true,
  );

  // A form that only says what is to be thought of is asked about in the words of its button.
  function askFirst(form, submitter) {
    const dialog = $("#confirm");
    const { confirm, confirmTitle, confirmText, confirmAction, confirmKind } = form.dataset;
    const label = (submitter || $("button[type=submit]", form)).textContent.trim();
    $("#confirm-title").textContent = confirmTitle || label;
    $("#confirm-text").textContent = confirmText || confirm;
    const action = $("#confirm-action");
    action.textContent = confirmAction || label;
    action.className = `btn btn-${confirmKind || "primary"}`;
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
      // What is shown in a frame leaves the page, and its form, as they are.
      if (event.submitter?.formTarget) return;
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
      if (form.method !== "post") return;
      setBusy(form, true);
      // A file that is answered with leaves the page as it is: it may be taken again.
      if ("file" in form.dataset) setTimeout(() => setBusy(form, false), 2000);
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

  // Who begins lives in their own time zone.
  const zones = $("select[data-own-zone]");
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zones && [...zones.options].some((option) => option.value === zone)) zones.value = zone;

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

  // --- Clicks ----------------------------------------------------------------------------------

  async function copy(button) {
    await navigator.clipboard.writeText(button.dataset.copy);
    showToast({ level: "success", text: button.dataset.copied || button.dataset.copy });
  }

  // Where somebody was writing last: a click on a word to insert takes the focus away.
  let writing = null;
  document.addEventListener("focusin", (event) => {
    if (event.target.matches("textarea, input[type=text]")) writing = event.target;
  });

  function insertText(button) {
    const inForm = writing && writing.isConnected && writing.form === button.closest("form");
    const field = inForm ? writing : $(button.dataset.insertInto);
    field.setRangeText(button.dataset.insert, field.selectionStart, field.selectionEnd, "end");
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  const clicks = {
    "[data-insert]": (button) => insertText(button),
    "[data-dialog]": (link, event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      loadDialog(link);
    },
    "[data-dialog-close]": (button) => closeDialog(button.closest("dialog")),
    "[data-toast-close]": (button) => button.closest("[data-toast]").remove(),
    "[data-check-all]": (button) => {
      const boxes = $$(`input[type=checkbox][name="${button.dataset.checkAll}"]`, button.form);
      const every = boxes.every((box) => box.checked);
      boxes.forEach((box) => (box.checked = !every));
    },
    "[data-copy]": (button) =>
      copy(button).catch(() => showToast({ level: "error", text: texts().failed })),
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
    // A click beside a dialog closes it, unless something typed would be lost.
    const beside = event.target.matches("dialog.dialog") && event.target;
    if (beside && !$("form[method=post]", beside)) closeDialog(beside);
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

  $$("#toasts [data-toast]").forEach(settleToast);
  $("main [data-focus]")?.focus();
  drawCharts(document);
})();
