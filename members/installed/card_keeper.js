// Keeps the card of who is signed in, with what it takes to show it, for when there is no network.
// Nothing else is kept: every other page is asked for as if this were not here.
(() => {
  "use strict";
  const KEPT = "setia-card-1";
  // The page differs by cookie and language; kept is the one that was shown last.
  const ANY = { ignoreVary: true };
  const HEADERS = ["content-type", "content-security-policy"];
  const isCard = (url) => /^\/me\/([0-9a-f-]{36}\/)?card\/$/.test(url.pathname);
  const own = (url) => url.origin === self.location.origin;
  // Where the page of a card notes whose it is.
  const OWNER = "/card-owner";

  self.addEventListener("install", () => self.skipWaiting());
  self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

  // The page says where the card is and what it is made of, each time it is shown.
  self.addEventListener("message", (event) => {
    const { keep: address, parts, owner } = event.data;
    event.waitUntil(keep(address, parts, owner).then((kept) => event.source.postMessage({ kept })));
  });

  // A device that has changed hands keeps nobody else's.
  async function cacheOf(owner) {
    const before = await (await caches.open(KEPT)).match(OWNER);
    if (before && (await before.text()) !== owner) await caches.delete(KEPT);
    const cache = await caches.open(KEPT);
    await cache.put(OWNER, new Response(owner));
    return cache;
  }

  async function keep(address, parts, owner) {
    const cache = await cacheOf(owner);
    for (const part of new Set(parts)) {
      if (own(new URL(part)) && !(await cache.match(part, ANY))) await cache.add(part).catch(() => {});
    }
    const page = await fetch(address, { credentials: "same-origin" });
    if (!page.ok || page.redirected) return false;
    // What is kept says that it is.
    const text = (await page.text())
      .replace(" data-when-kept hidden", "")
      .replaceAll(" data-unless-kept", " hidden");
    const headers = Object.fromEntries(HEADERS.map((name) => [name, page.headers.get(name)]));
    await cache.put(address, new Response(text, { headers }));
    return true;
  }

  self.addEventListener("fetch", (event) => {
    const { request } = event;
    if (request.method !== "GET" || !own(new URL(request.url))) return;
    if (request.mode === "navigate") event.respondWith(navigated(request));
    else if (!request.headers.has("HX-Request")) event.respondWith(orKept(request));
  });

  async function orKept(request) {
    try {
      return await fetch(request);
    } catch (error) {
      const found = await caches.match(request, { ...ANY, cacheName: KEPT });
      if (found) return found;
      throw error;
    }
  }

  // Who signs out, or whose session is over, is shown how to sign in, and that page says so: the
  // card does not stay on a device that others may use.
  async function forgetting(answer) {
    if (answer.headers.get("Setia-Card") === "forget") await caches.delete(KEPT);
    return answer;
  }

  // Without a network every address leads to the card: it is what one needs in a shop.
  async function navigated(request) {
    try {
      return await forgetting(await fetch(request));
    } catch (error) {
      const cache = await caches.open(KEPT);
      const exact = await cache.match(request, ANY);
      if (exact) return exact;
      for (const known of await cache.keys()) {
        if (isCard(new URL(known.url))) return cache.match(known, ANY);
      }
      throw error;
    }
  }
})();
