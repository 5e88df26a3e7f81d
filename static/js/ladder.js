// Thresholds that are dragged over the members: an addition to the fields that say them.
//
// [data-ladder] has the members of each bar (data-counts) and the amount at its right end
// (data-top). A [data-ladder-slide] is a threshold from 1 to 1000; what it says goes into the field
// tier-N-threshold (tiers-N-threshold in the wizard), and the server is asked once the slider is let go.
(() => {
  "use strict";
  const POWER = 3;
  const STEPS = [1, 1.2, 1.5, 1.8, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 7.5, 8, 9, 10];

  // The closest number that one can keep in mind, as the server rounds too.
  const nice = (amount) => {
    if (amount <= 1) return 1;
    const power = 10 ** Math.floor(Math.log10(amount));
    const near = STEPS.map((step) => step * power);
    return Math.ceil(near.reduce((a, b) => (Math.abs(b - amount) < Math.abs(a - amount) ? b : a)));
  };

  const field = (number) =>
    document.querySelector(
      `#tier-form [name="tier-${number}-threshold"], #wizard-form [name="tiers-${number}-threshold"]`,
    );

  const colorOf = (element) => [...element.classList].find((name) => name.startsWith("tier-"));

  const draw = (ladder) => {
    const top = Number(ladder.dataset.top);
    const counts = JSON.parse(ladder.dataset.counts);
    const slides = [...ladder.querySelectorAll("[data-ladder-slide]")];
    const places = slides.map((slide) => Number(slide.value) / 1000);
    const all = counts.reduce((sum, count) => sum + count, 0) || 1;
    const bars = [...ladder.querySelectorAll("[data-ladder-bar]")];
    const members = [0, ...slides.map(() => 0)];
    bars.forEach((bar, index) => {
      const tier = places.filter((place) => place <= (index + 0.5) / bars.length).length;
      members[tier] += counts[index];
      const color = tier ? colorOf(slides[tier - 1].parentElement) : ladder.dataset.first;
      if (color) bar.setAttribute("class", color);
    });
    slides.forEach((slide, index) => {
      const line = ladder.querySelector(`[data-ladder-line="${index + 1}"]`);
      line.setAttribute("x1", places[index] * 600);
      line.setAttribute("x2", places[index] * 600);
    });
    const percent = new Intl.NumberFormat(document.documentElement.lang || undefined, {
      style: "percent",
      maximumFractionDigits: 1,
    });
    const scope = ladder.closest("#tier-ladder");
    members.forEach((count, tier) => {
      scope.querySelector(`[data-ladder-members="${tier}"]`).textContent = count.toLocaleString();
      scope.querySelector(`[data-ladder-share="${tier}"]`).textContent = percent.format(count / all);
    });
    return top;
  };

  document.addEventListener("input", (event) => {
    const slide = event.target.closest?.("[data-ladder-slide]");
    if (!slide) return;
    const ladder = slide.closest("[data-ladder]");
    // Its neighbors stay where they are, and it between them.
    const number = Number(slide.dataset.ladderSlide);
    const at = (other) => ladder.querySelector(`[data-ladder-slide="${other}"]`);
    const lowest = at(number - 1) ? Number(at(number - 1).value) + 1 : 1;
    const highest = at(number + 1) ? Number(at(number + 1).value) - 1 : 1000;
    slide.value = String(Math.min(Math.max(Number(slide.value), lowest), highest));
    const amount = nice(draw(ladder) * (Number(slide.value) / 1000) ** POWER);
    const said = field(number);
    if (said) said.value = String(amount);
    const text = amount.toLocaleString();
    slide.setAttribute("aria-valuetext", text);
    slide.parentElement.querySelector("output").textContent = text;
  });

  // A line in the picture is dragged as its slider is.
  let dragged = null;
  const placeOf = (event) => {
    const { left, width } = dragged.picture.getBoundingClientRect();
    return Math.round(((event.clientX - left) / width) * 1000);
  };

  document.addEventListener("pointerdown", (event) => {
    const picture = event.target.closest?.(".ladder-picture");
    if (!picture) return;
    const { left, width } = picture.getBoundingClientRect();
    const near = [...picture.parentElement.querySelectorAll("[data-ladder-slide]")]
      .map((slide) => ({ slide, far: Math.abs(left + (slide.value / 1000) * width - event.clientX) }))
      .sort((a, b) => a.far - b.far)[0];
    if (!near || near.far > 16) return;
    event.preventDefault();
    dragged = { picture, slide: near.slide };
    picture.classList.add("is-dragging");
  });

  document.addEventListener("pointermove", (event) => {
    if (!dragged) return;
    dragged.slide.value = String(placeOf(event));
    dragged.slide.dispatchEvent(new Event("input", { bubbles: true }));
  });

  // An answer to what was asked before takes no line out of somebody's hand: once it is let go, the
  // server is asked again.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (dragged && event.detail.target.contains(dragged.picture)) event.detail.shouldSwap = false;
  });

  document.addEventListener("pointerup", () => {
    if (!dragged) return;
    const { picture, slide } = dragged;
    dragged = null;
    picture.classList.remove("is-dragging");
    slide.dispatchEvent(new Event("change", { bubbles: true }));
  });

  document.addEventListener("change", (event) => {
    const slide = event.target.closest?.("[data-ladder-slide]");
    const said = slide && field(slide.dataset.ladderSlide);
    if (said) said.dispatchEvent(new Event("change", { bubbles: true }));
  });
})();
