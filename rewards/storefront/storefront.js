/* Setia in a shop's pages. https://…/storefront.js, documented in docs/storefront.md.
   Nothing here may ever disturb the shop: whatever fails, nothing is shown. */
(() => {
  "use strict";
  const script = document.currentScript;
  if (!script || window.Setia || !window.customElements || !("replaceSync" in CSSStyleSheet.prototype)) return;
  const API = new URL("api/v1/", script.src);
  const { token: givenToken, tokenUrl, lang } = script.dataset;
  // The page's language first, then the visitor's own: the server takes the first that it speaks.
  const LANGUAGES = [...new Set([lang, document.documentElement.lang, ...(navigator.languages || [])])]
    .filter((name) => /^[A-Za-z0-9-]+$/.test(name || ""))
    .slice(0, 6)
    .map((name, place) => (place ? `${name};q=0.${9 - place}` : name))
    .join(", ");
  const TIMEOUT = 4000;
  const DISMISSED_DAYS = 30;
  const parts = new Set();
  let config = null;
  let me = null;
  // Somebody signed in, of whom nothing is known now: neither a member nor to be asked to join.
  let unknown = false;
  let pass = givenToken ? Promise.resolve({ token: givenToken, ends: Infinity }) : null;

  // --- Asking --------------------------------------------------------------------------------

  /** The answer as an object, or null: a refusal, a broken network and a slow server are alike. */
  async function fetched(url, options) {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), TIMEOUT);
    try {
      const answer = await fetch(url, { ...options, signal: stop.signal });
      if (answer.status === 401) return { refused: true };
      return answer.ok && answer.status !== 204 ? await answer.json() : null;
    } catch {
      return null;
    } finally {
      clearTimeout(timer);
    }
  }

  /** The member's token: what the page came with, or what the shop's server says, until it is over. */
  async function token() {
    const known = await pass;
    if (known && known.ends > Date.now()) return known.token;
    if (!tokenUrl) return "";
    pass = fetched(tokenUrl, { credentials: "same-origin", headers: { Accept: "application/json" } }).then(
      (found) => found?.token && { token: found.token, ends: Date.parse(found.expires_at) - 30000 || Infinity },
    );
    return (await pass)?.token || "";
  }

  async function ask(path, { own = false, body, key, keepalive = false } = {}, again = true) {
    const headers = { Accept: "application/json", "Accept-Language": LANGUAGES || "*" };
    if (own) {
      const presented = await token();
      if (!presented) return null;
      headers.Authorization = `Bearer ${presented}`;
    }
    if (body) headers["Content-Type"] = "application/json";
    if (key) headers["Idempotency-Key"] = key;
    const answer = await fetched(new URL(path, API), {
      method: body ? "POST" : "GET",
      credentials: "omit",
      headers,
      keepalive,
      body: body && JSON.stringify(body),
    });
    if (!answer?.refused) return answer;
    if (own) pass = null;
    return own && again && tokenUrl ? ask(path, { own, body, key, keepalive }, false) : null;
  }

  // --- Words and markup ----------------------------------------------------------------------

  function say(name, values = {}) {
    return (config.texts[name] || "").replace(/\{(\w+)\}/g, (_all, key) => values[key] ?? "");
  }

  function make(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === "function") node.addEventListener(name, value);
      else if (value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children.filter((child) => child !== null && child !== ""));
    return node;
  }

  const DRAWINGS = {
    coin: "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18M9 12l3-4l3 4l-3 4z",
    gift: "M4 9h16v4H4zM12 9v11M6 13v7h12v-7M12 9c-5-5-7 0 0 0c7 0 5-5 0 0",
    close: "M6 6l12 12M18 6l-12 12",
  };

  function icon(name) {
    const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    picture.setAttribute("viewBox", "0 0 24 24");
    picture.setAttribute("aria-hidden", "true");
    path.setAttribute("d", DRAWINGS[name]);
    picture.append(path);
    return picture;
  }

  const COLORS = {
    secondary: "#6b7280", azure: "#4299e1", blue: "#066fd1", cyan: "#17a2b8", green: "#2fb344", indigo: "#4263eb",
    lime: "#74b816", orange: "#f76707", pink: "#d6336c", purple: "#ae3ec9", red: "#d63939", teal: "#0ca678",
    yellow: "#f59f00",
  };
  const STYLES = ({ accent, hover, on, text }) => `
    :host { --a: var(--setia-accent, ${accent}); --h: var(--setia-accent-hover, ${hover}); --o: var(--setia-on-accent, ${on});
      --t: var(--setia-accent-text, ${text}); --i: var(--setia-ink, #1d2733); --s: var(--setia-surface, #fff);
      --l: var(--setia-line, #d5dae1); --m: var(--setia-muted, #566070); --r: var(--setia-radius, 8px);
      display: inline-block; font: var(--setia-font, inherit); line-height: 1.45; }
    :host(setia-basket), :host(setia-join) { display: block; }
    :host([hidden]) { display: none; }
    * { box-sizing: border-box; }
    svg { width: 1.2em; height: 1.2em; flex: none; fill: none; stroke: currentColor; stroke-width: 2;
      stroke-linecap: round; stroke-linejoin: round; }
    .row { display: flex; flex-wrap: wrap; align-items: center; gap: .4em .6em; }
    .line { display: inline-flex; vertical-align: middle; align-items: center; gap: .4em; color: inherit; text-decoration: none; }
    a.line:hover span { text-decoration: underline; }
    .earn { color: var(--t); font-weight: 600; }
    .card { padding: 1em 1.15em; border: 1px solid var(--l); border-radius: var(--r); background: var(--s); color: var(--i); }
    .title.row { flex-wrap: nowrap; }
    .title { margin: 0; font-size: 1.05em; font-weight: 650; }
    .soft { margin: .2em 0 0; color: var(--m); font-size: .92em; }
    .head { margin: 1em 0 .4em; font-size: .92em; font-weight: 600; color: var(--m); }
    ul { margin: .5em 0 0; padding: 0; list-style: none; }
    .values li { display: flex; gap: .5em; align-items: baseline; margin-top: .25em; }
    .values li::before { content: "✓" / ""; color: var(--t); font-weight: 700; }
    .choices li { display: flex; justify-content: space-between; align-items: center; gap: .3em 1em; flex-wrap: wrap;
      padding: .5em 0; border-top: 1px solid var(--l); }
    .why { flex-basis: 100%; margin: 0; }
    .parts { margin-top: .6em; }
    summary { color: var(--m); font-size: .92em; cursor: pointer; }
    button, a.button { display: inline-flex; align-items: center; min-height: 2.5em; padding: .3em 1em; border: 1px solid var(--a);
      border-radius: var(--r); background: var(--a); color: var(--o); font: inherit; font-weight: 600; text-decoration: none;
      cursor: pointer; }
    button:hover, a.button:hover { background: var(--h); }
    button.plain { border-color: transparent; background: none; color: var(--m); font-weight: 500; }
    button.plain:hover { text-decoration: underline; }
    button.quiet { border-color: var(--l); background: var(--s); color: var(--t); }
    button.quiet:hover { border-color: currentColor; }
    button.corner { position: absolute; top: .5em; right: .5em; min-height: 2.25em; padding: .3em .5em; }
    :focus-visible { outline: 3px solid var(--t); outline-offset: 2px; }
    [disabled] { opacity: .6; cursor: default; }
    .spread { display: flex; flex-wrap: wrap; gap: 1em; justify-content: space-between; align-items: center; }
    .note { margin: .8em 0 0; padding: .6em .8em; border-radius: var(--r); border: 1px solid var(--l); font-weight: 600; }
    .note:empty { display: none; }
    .tier { display: inline-flex; align-items: center; gap: .4em; padding: .05em .6em; border: 1px solid var(--l);
      border-radius: 99px; font-size: .85em; color: inherit; }
    .dot { width: .65em; height: .65em; border-radius: 50%; background: ${COLORS.secondary}; }
    ${Object.entries(COLORS).map(([name, color]) => `.dot.${name} { background: ${color}; }`).join("\n")}
    dialog { width: min(26em, calc(100vw - 2em)); padding: 1.6em; border: 0; border-radius: calc(var(--r) * 1.5);
      background: var(--s); color: var(--i); box-shadow: 0 20px 60px rgb(0 0 0 / .3); }
    dialog::backdrop { background: rgb(15 23 42 / .5); }
    dialog .title { padding-right: 1.6em; font-size: 1.3em; }
    dialog .row { margin-top: 1.2em; }
    .hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }`;
  const sheet = new CSSStyleSheet();

  function badge(tier) {
    return make("span", { class: "tier" }, make("span", { class: `dot ${tier.color}` }), tier.name);
  }

  function values() {
    return make("ul", { class: "values" }, ...config.values.map((text) => make("li", {}, make("span", {}, text))));
  }

  // --- What was dismissed --------------------------------------------------------------------

  function dismissed(name, set) {
    try {
      if (set) localStorage.setItem(`setia-${name}`, String(Date.now()));
      return Date.now() - Number(localStorage.getItem(`setia-${name}`) || 0) < DISMISSED_DAYS * 864e5;
    } catch {
      return Boolean(set);
    }
  }

  function newKey() {
    return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  // --- Parts of a page -----------------------------------------------------------------------

  class Part extends HTMLElement {
    #turn = 0;
    #timer = 0;

    connectedCallback() {
      if (!this.shadowRoot) {
        this.attachShadow({ mode: "open" });
        this.shadowRoot.adoptedStyleSheets = [sheet];
      }
      parts.add(this);
      this.later();
    }

    disconnectedCallback() {
      parts.delete(this);
    }

    attributeChangedCallback() {
      this.later();
    }

    /** Several changes at once are drawn once. */
    later() {
      clearTimeout(this.#timer);
      if (config && this.isConnected) this.#timer = setTimeout(() => this.draw(), 30);
    }

    async draw() {
      const turn = ++this.#turn;
      let nodes = null;
      try {
        nodes = config.elements.includes(this.kind) ? await this.contents() : null;
      } catch {
        nodes = null;
      }
      if (turn !== this.#turn) return;
      // What stays is not put in anew: it may be read out, or have the focus.
      const now = this.shadowRoot.children;
      const same = nodes?.length === now.length && nodes.every((node, place) => node === now[place]);
      if (!same) this.shadowRoot.replaceChildren(...(nodes || []));
    }

    tell(name, detail) {
      this.dispatchEvent(new CustomEvent(`setia:${name}`, { bubbles: true, composed: true, detail }));
    }
  }

  class Balance extends Part {
    kind = "balance";

    contents() {
      if (!me?.membership) {
        if (!config.joinable || me || unknown) return null;
        return [make("a", { class: "line", href: config.join_url }, icon("coin"), make("span", {}, say("join")))];
      }
      const [first] = me.balances;
      if (!first) return null;
      const worth = first.worth && say("worth", { money: first.worth });
      return [
        make(
          "a",
          { class: "line row", href: config.account_url, title: worth },
          icon("coin"),
          make("span", {}, first.words),
          me.tier && badge(me.tier),
          make("span", { class: "hidden" }, [worth, say("account")].filter(Boolean).join(". ")),
        ),
      ];
    }
  }

  class Earn extends Part {
    static observedAttributes = ["price", "currency", "sku", "category", "quantity"];
    kind = "earn";
    // It stays, so that another price is read out.
    #told = make("div", { role: "status" });

    async contents() {
      const of = (name) => this.getAttribute(name) || undefined;
      if (!of("price")) return null;
      const asked = { price: of("price"), currency: of("currency"), sku: of("sku"), category: of("category"), quantity: of("quantity") };
      const answer = me?.membership ? await this.#forMember(asked) : await this.#forVisitor(asked);
      const words = answer?.words && say("earn", { units: answer.words });
      const held = answer?.held?.[0];
      if (held) this.tell("held", { sku: of("sku"), allowed: held.allowed, opensAt: held.opens_at });
      if (!words && !held) return null;
      this.#told.replaceChildren(
        ...(words ? [make("span", { class: "line earn" }, icon("coin"), make("span", {}, words))] : []),
        ...(held ? [make("span", { class: "line" }, icon("gift"), make("span", {}, held.words))] : []),
      );
      return [this.#told];
    }

    #forVisitor(asked) {
      const query = new URLSearchParams(Object.entries(asked).filter(([, value]) => value !== undefined));
      return ask(`storefront/earn?${query}`);
    }

    #forMember({ price, currency, quantity = "1", ...line }) {
      const total = (Number(price) * Number(quantity)).toFixed(4);
      return ask("me/storefront/basket", { own: true, body: { currency, lines: [{ ...line, quantity, total }] } });
    }
  }

  class Basket extends Part {
    static observedAttributes = ["basket"];
    kind = "basket";
    #basket = null;
    #keys = new Map();
    #title = make("p", { class: "title row", role: "status" });
    #body = make("div");
    #note = make("p", { class: "note", role: "status", tabindex: "-1" });
    #card = make("section", { class: "card" }, this.#title, this.#body, this.#note);

    connectedCallback() {
      if (Object.hasOwn(this, "basket")) {
        const early = this.basket;
        delete this.basket;
        this.basket = early;
      }
      super.connectedCallback();
    }

    get basket() {
      return this.#basket || JSON.parse(this.getAttribute("basket") || "null");
    }

    set basket(said) {
      this.#basket = said;
      this.later();
    }

    async contents() {
      const said = this.basket;
      if (!said?.lines?.length) return null;
      const lines = said.lines.map(({ sku, category, quantity = 1, total }) => ({
        sku, category, quantity: String(quantity), total: String(total),
      }));
      const body = { currency: said.currency, lines, codes: said.codes ?? [] };
      const answer = me ? await ask("me/storefront/basket", { own: true, body }) : await ask("storefront/basket", { body });
      if (!answer) return null;
      const words = answer.words ? say("basketEarns", { units: answer.words }) : say("basketNothing");
      this.#card.setAttribute("aria-label", config.name);
      this.#title.replaceChildren(icon("coin"), make("span", {}, words));
      this.#body.replaceChildren(
        ...this.#joining(answer),
        ...this.#parts(answer.parts),
        ...this.#list("typedCodes", answer.promotions, ({ code, promotion, counts, message }) => [
          make("span", {}, say(counts ? "codeCounts" : "codeNot", { code, name: promotion, why: message })),
        ]),
        ...this.#list("yourRewards", answer.rewards?.filter((item) => item.fits), (item) => this.#reward(item)),
        ...this.#list("yourCodes", answer.codes, (item) => this.#code(item)),
        ...this.#list("almost", answer.rewards?.filter((item) => !item.fits), (item) => [
          this.#named(item),
          make("span", { class: "soft" }, say("missing", { units: item.missing })),
        ]),
      );
      return [this.#card];
    }

    #joining(answer) {
      if (me?.membership || unknown || !answer.words || !config.joinable) return [];
      return [make("p", { class: "soft" }, make("a", { class: "earn", href: config.join_url }, say("keep")))];
    }

    #parts(parts) {
      if (!parts?.length) return [];
      const rows = parts.map(({ name, gives, why }) =>
        make("li", {}, make("span", {}, name), make("b", {}, gives), make("span", { class: "soft why" }, why.join(" "))));
      return [make("details", { class: "parts" }, make("summary", {}, say("parts")), make("ul", { class: "choices" }, ...rows))];
    }

    #list(title, items, row) {
      if (!items?.length) return [];
      const rows = items.map((item) => make("li", {}, ...row(item)));
      return [make("p", { class: "head" }, say(title)), make("ul", { class: "choices", "aria-label": say(title) }, ...rows)];
    }

    #named({ name, saves }) {
      return make("span", {}, name, saves ? make("span", { class: "soft" }, ` −${saves}`) : "");
    }

    #reward(item) {
      const press = () => this.#take(item);
      const label = say("take", { units: item.price });
      return [this.#named(item), make("button", { type: "button", click: press, "aria-label": `${item.name}: ${label}` }, label)];
    }

    #code(item) {
      const press = () => this.tell("code", { code: item.code, name: item.name });
      return [make("span", {}, item.name), make("button", { type: "button", class: "quiet", click: press }, say("use", { code: item.code }))];
    }

    async #take(item) {
      const buttons = this.shadowRoot.querySelectorAll("button");
      for (const button of buttons) button.disabled = true;
      // The same key until it is known what became of it: a repeat takes it once.
      if (!this.#keys.has(item.id)) this.#keys.set(item.id, newKey());
      const path = `me/memberships/${me.membership}/rewards/${item.id}/take`;
      const taken = await ask(path, { own: true, body: {}, key: this.#keys.get(item.id) });
      const code = taken?.voucher?.code;
      const words = taken ? (code ? "taken" : "takenWithoutCode") : "notTaken";
      this.#note.textContent = say(words, { reward: taken?.name, code });
      // The button that had the focus goes.
      this.#note.focus();
      if (taken) {
        this.#keys.delete(item.id);
        this.tell("reward", { code, name: taken.name });
        await learn();
        others(this);
      }
      await this.draw();
    }
  }

  /** What banner and pop-up share: who may be asked, and what they press. */
  class Invitation extends Part {
    invites() {
      return config.joinable && !me?.membership && !unknown && !dismissed(this.kind);
    }

    dismiss() {
      dismissed(this.kind, true);
      this.shadowRoot.replaceChildren();
    }

    action() {
      if (!me) return make("a", { class: "button", href: config.join_url }, say("join"));
      return make("button", { type: "button", click: () => this.#join() }, say("join"));
    }

    async #join() {
      const joined = await ask("me/memberships", { own: true, body: { program: config.program, detail: "storefront" }, key: newKey() });
      if (!joined) return;
      this.tell("joined", {});
      await learn();
      this.thank(say(me?.membership ? "joined" : "waiting"));
      others(this);
    }
  }

  class Join extends Invitation {
    kind = "join";

    contents() {
      if (!this.invites()) return null;
      return [
        make(
          "div",
          { class: "card spread" },
          make("div", {}, make("p", { class: "title row" }, icon("gift"), make("span", {}, say("joinTitle"))), values()),
          make(
            "div",
            { class: "row" },
            this.action(),
            make("button", { type: "button", class: "plain", click: () => this.dismiss() }, say("later")),
          ),
        ),
      ];
    }

    thank(words) {
      this.shadowRoot.replaceChildren(make("p", { class: "card title", role: "status" }, words));
    }
  }

  class Popup extends Invitation {
    kind = "popup";
    #timer = 0;

    contents() {
      clearTimeout(this.#timer);
      if (this.invites()) this.#timer = setTimeout(() => this.#open(), config.popup_seconds * 1000);
      return null;
    }

    disconnectedCallback() {
      clearTimeout(this.#timer);
      super.disconnectedCallback();
    }

    /** Never over somebody who is writing, or over another dialog. */
    #busy() {
      return document.hidden || document.activeElement?.matches("input, textarea, select") || document.querySelector("dialog[open]");
    }

    #open() {
      if (!this.isConnected || !this.invites()) return;
      if (this.#busy()) {
        this.#timer = setTimeout(() => this.#open(), 5000);
        return;
      }
      const close = make("button", { type: "button", class: "plain corner", "aria-label": say("close"), click: () => dialog.close() }, icon("close"));
      const dialog = make(
        "dialog",
        { "aria-labelledby": "title", close: () => this.dismiss() },
        make("h2", { class: "title", id: "title" }, say("joinTitle")),
        values(),
        make(
          "div",
          { class: "row" },
          this.action(),
          make("button", { type: "button", class: "plain", click: () => dialog.close() }, say("later")),
        ),
        close,
      );
      this.shadowRoot.replaceChildren(dialog);
      dialog.showModal();
    }

    thank(words) {
      dismissed(this.kind, true);
      this.shadowRoot.querySelector(".row").replaceChildren(make("p", { class: "title", role: "status" }, words));
    }
  }

  const wanted = new Map();

  /** All badges of a page are asked for together, fifty at a time. */
  function tierOf(mark) {
    if (!wanted.size) {
      setTimeout(async () => {
        const asked = [...wanted.entries()];
        wanted.clear();
        for (let start = 0; start < asked.length; start += 50) {
          const piece = asked.slice(start, start + 50);
          const answer = await ask(`storefront/tiers?badges=${piece.map(([name]) => encodeURIComponent(name)).join(",")}`);
          const found = new Map(answer?.results?.map((row) => [row.badge, row]));
          for (const [name, waiting] of piece) for (const done of waiting) done(found.get(name));
        }
      }, 30);
    }
    return new Promise((done) => wanted.set(mark, [...(wanted.get(mark) || []), done]));
  }

  class Tier extends Part {
    static observedAttributes = ["badge"];
    kind = "tier";

    async contents() {
      const mark = this.getAttribute("badge");
      const tier = mark && (await tierOf(mark));
      return tier ? [badge({ ...tier, name: say("tier", { tier: tier.name }) })] : null;
    }
  }

  // --- What is looked at ---------------------------------------------------------------------

  const QUIET_MINUTES = 10;
  const heard = [];
  let telling = 0;

  /** Who has not agreed to it is left alone for some minutes. */
  function quiet(set) {
    try {
      if (set) sessionStorage.setItem("setia-quiet", String(Date.now()));
      return Date.now() - Number(sessionStorage.getItem("setia-quiet") || 0) < QUIET_MINUTES * 6e4;
    } catch {
      return false;
    }
  }

  /** What happens together is told together; of who is signed in, of nobody else. */
  function tell(type, about = {}) {
    heard.push({ id: newKey(), type, occurred_at: new Date().toISOString(), ...about });
    telling ||= setTimeout(() => tellAll().catch(() => {}), 200);
  }

  async function tellAll() {
    clearTimeout(telling);
    telling = 0;
    const events = heard.splice(0, 100);
    if (!events.length || quiet()) return;
    // It goes on where the page is left meanwhile.
    const answer = await ask("me/browsing-events", { own: true, body: { events }, keepalive: true });
    const refused = answer?.results?.every(({ problem }) => ["off", "no_consent"].includes(problem?.code));
    if (refused) quiet(true);
    if (heard.length) await tellAll();
  }

  /** Shows nothing: says what the page is about. */
  class Viewed extends HTMLElement {
    connectedCallback() {
      const of = (name) => this.getAttribute(name) || undefined;
      const about = { sku: of("sku"), name: of("name"), category: of("category"), query: of("query") };
      const quantity = of("quantity");
      if (quantity) tell("cart_updated", { ...about, quantity: Number(quantity) });
      else tell(about.sku ? "product_viewed" : about.query ? "searched" : "category_viewed", about);
    }
  }

  // --- Beginning -----------------------------------------------------------------------------

  /** Who is here. Null: nobody signed in, or nothing is known of them now. */
  async function learn() {
    const present = Boolean(await token());
    me = present ? await ask("me/storefront", { own: true }) : null;
    unknown = present && !me;
  }

  /** What one part has changed, the others show. */
  function others(drawn) {
    for (const part of parts) if (part !== drawn) part.later();
  }

  async function refresh() {
    await learn();
    for (const part of parts) part.later();
  }

  async function begin() {
    const [found] = await Promise.all([ask("storefront"), learn()]);
    if (!found?.program) return;
    config = found;
    sheet.replaceSync(STYLES(config.theme));
    for (const part of parts) part.later();
    document.dispatchEvent(new CustomEvent("setia:ready", { detail: { member: Boolean(me?.membership) } }));
  }

  try {
    const named = { balance: Balance, earn: Earn, basket: Basket, join: Join, popup: Popup, tier: Tier, viewed: Viewed };
    for (const [name, part] of Object.entries(named)) customElements.define(`setia-${name}`, part);
    window.Setia = Object.freeze({ refresh: () => refresh().catch(() => {}), tell });
    window.addEventListener("pagehide", () => tellAll().catch(() => {}));
    begin().catch(() => {});
  } catch {
    // Another script has these names: the shop goes on without us.
  }
})();
