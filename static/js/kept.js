// A form that was sent after the session had ended: what was filled in is there again once the same
// person has signed in, in this tab and nowhere else.
(() => {
  "use strict";
  const KEY = "setia-kept-form";
  const LARGEST = 200000;
  const LONGEST_MS = 30 * 60 * 1000;
  const place = () => location.pathname + location.search;
  const reader = document.querySelector("meta[name=setia-reader]");
  const entrance = document.querySelector("#setia-texts").dataset.loginPath;
  const fields = (form) =>
    [...form.elements].filter(
      (field) => field.name && !/^(hidden|password|file|submit|button|reset)$/.test(field.type),
    );

  function drop() {
    try {
      sessionStorage.removeItem(KEY);
    } catch {
      // Where a browser keeps nothing, nothing is to be dropped.
    }
  }

  function take() {
    try {
      return sessionStorage.getItem(KEY);
    } catch {
      return null;
    } finally {
      drop();
    }
  }

  function keep(form) {
    const values = fields(form).map((field) => {
      if (field.type === "checkbox" || field.type === "radio") return field.checked;
      if (field.multiple) return [...field.selectedOptions].map((option) => option.value);
      return field.value;
    });
    const names = fields(form).map((field) => field.name);
    const said = { reader: reader.content, place: place(), action: form.getAttribute("action") };
    const text = JSON.stringify({ ...said, at: Date.now(), names, values });
    try {
      if (text.length <= LARGEST) sessionStorage.setItem(KEY, text);
    } catch {
      drop(); // there is no room: then it is as if nothing were kept
    }
  }

  function put(field, value) {
    if (field.type === "checkbox" || field.type === "radio") field.checked = value;
    else if (field.multiple)
      [...field.options].forEach((option) => (option.selected = value.includes(option.value)));
    else field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }

  function bringBack(said) {
    const form = [...document.forms].find(
      (found) =>
        found.method === "post" &&
        found.getAttribute("action") === said.action &&
        fields(found).length,
    );
    const same = form && fields(form).map((field) => field.name);
    // A form that asks something else by now is left as it is.
    if (!same || same.join() !== said.names.join()) return;
    fields(form).forEach((field, index) => put(field, said.values[index]));
    const items = [{ level: "warning", text: reader.dataset.kept }];
    document.dispatchEvent(new CustomEvent("setia:toast", { detail: { items } }));
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || event.submitter?.formTarget) return;
    // Signing out asks nothing, and leaves nothing.
    if (fields(form).length) keep(form);
    else drop();
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    const form = event.detail.elt.closest("form[method=post], form[hx-post]");
    if (form && form.method === "post" && fields(form).length) keep(form);
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const { xhr } = event.detail;
    const at = xhr?.responseURL ? new URL(xhr.responseURL).pathname : "";
    if (event.detail.elt.closest("form") && at !== entrance) drop();
  });

  const text = take();
  if (!text || !document.referrer) return;
  const from = new URL(document.referrer);
  const accounts = entrance.replace(/login\/$/, "");
  // The page came out of signing in, and not out of the form.
  if (from.origin !== location.origin || !from.pathname.startsWith(accounts)) return;
  const said = JSON.parse(text);
  const late = Date.now() - said.at > LONGEST_MS;
  if (!late && said.reader === reader.content && said.place === place()) bringBack(said);
})();
