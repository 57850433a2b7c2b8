// Compares two pictures: one lies on the other, and a slider moves the border between them.

import { button, el, newId } from "./dom.js";

export function compare(first, second) {
  const slider = el("input", { type: "range", id: newId("compare"), min: 0, max: 100, value: 50, "aria-label": "Border between the two pictures" });
  const above = el("img", { src: second.url, alt: second.label, class: "above" });
  const line = el("div", { class: "border-line" });
  const pair = el("div", { class: "pair-view" }, el("img", { src: first.url, alt: first.label }), above, line);
  const dialog = el(
    "dialog",
    { class: "compare", "aria-label": "Compare two pictures" },
    el("div", { class: "row between" }, el("span", { text: `Left: ${first.label}` }), el("span", { text: `Right: ${second.label}` })),
    pair,
    slider,
    el("div", { class: "row end" }, button("Close", () => dialog.close(), { class: "primary" })),
  );
  const move = () => {
    above.style.clipPath = `inset(0 0 0 ${slider.value}%)`;
    line.style.left = `${slider.value}%`;
  };
  const follow = (event) => {
    const box = pair.getBoundingClientRect();
    slider.value = Math.round((100 * (event.clientX - box.left)) / box.width);
    move();
  };
  pair.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    pair.setPointerCapture(event.pointerId);
    follow(event);
  });
  pair.addEventListener("pointermove", (event) => event.buttons && follow(event));
  slider.addEventListener("input", move);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  move();
  dialog.showModal();
  slider.focus();
}
