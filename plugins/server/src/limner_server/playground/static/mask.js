// The painter of masks: marks the region of a picture that is to be repainted, pixel by pixel, without grey.

import { button, el, newId, segments, toBase64 } from "./dom.js";
import { pictureOf, shownPicture } from "./pictures.js";
import { greyPng } from "./png.js";

const MARK = [214, 40, 130, 150]; // red, green, blue, alpha
const MOST_UNDO = 50;

/** The marks on a picture: one byte for each pixel, 255 where it is to be repainted, else 0. */
export class Marks {
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.pixels = new Uint8Array(width * height);
    this.count = 0;
    this.undoable = [];
  }

  /** Do something that changes pixels, as one step that can be undone. */
  step(change) {
    const before = this.pixels.slice();
    change();
    this.remember(before);
  }

  /** Remember a step: only the rows that it changed. */
  remember(before) {
    const { width, height, pixels } = this;
    const differs = (row) => {
      for (let i = row * width; i < (row + 1) * width; i++) if (pixels[i] !== before[i]) return true;
      return false;
    };
    let top = 0;
    let bottom = height;
    while (top < height && !differs(top)) top++;
    if (top === height) return;
    while (!differs(bottom - 1)) bottom--;
    this.undoable.push({ top, rows: before.slice(top * width, bottom * width) });
    if (this.undoable.length > MOST_UNDO) this.undoable.shift();
    this.recount();
  }

  undo() {
    const { top, rows } = this.undoable.pop();
    this.pixels.set(rows, top * this.width);
    this.recount();
  }

  recount() {
    let count = 0;
    for (let i = 0; i < this.pixels.length; i++) count += this.pixels[i] & 1;
    this.count = count;
  }

  invert() {
    for (let i = 0; i < this.pixels.length; i++) this.pixels[i] = 255 - this.pixels[i];
  }

  /** Fill every pixel whose centre lies in a shape, within a box of left, top, right and bottom. */
  fill([left, top, right, bottom], inside, value) {
    const x0 = Math.max(0, Math.floor(left));
    const x1 = Math.min(this.width, Math.ceil(right));
    for (let y = Math.max(0, Math.floor(top)); y < Math.min(this.height, Math.ceil(bottom)); y++) {
      for (let x = x0; x < x1; x++) if (inside(x + 0.5, y + 0.5)) this.pixels[y * this.width + x] = value;
    }
  }

  rectangle(box, value) {
    this.fill(box.map(Math.round), () => true, value);
  }

  ellipse(box, value) {
    const [left, top, right, bottom] = box.map(Math.round);
    const [across, down] = [(right - left) / 2, (bottom - top) / 2];
    const inside = (x, y) => ((x - left - across) / across) ** 2 + ((y - top - down) / down) ** 2 <= 1;
    this.fill([left, top, right, bottom], inside, value);
  }

  /** A line of a round brush. */
  line([x0, y0], [x1, y1], radius, value) {
    const [dx, dy] = [x1 - x0, y1 - y0];
    const length = dx * dx + dy * dy;
    const inside = (x, y) => {
      const along = length ? Math.min(1, Math.max(0, ((x - x0) * dx + (y - y0) * dy) / length)) : 0;
      return (x - x0 - along * dx) ** 2 + (y - y0 - along * dy) ** 2 <= radius * radius;
    };
    const box = [Math.min(x0, x1) - radius, Math.min(y0, y1) - radius, Math.max(x0, x1) + radius, Math.max(y0, y1) + radius];
    this.fill(box, inside, value);
  }
}

const TOOLS = [
  { value: "brush", label: "Brush" },
  { value: "rectangle", label: "Rectangle" },
  { value: "ellipse", label: "Ellipse" },
];
const SIDES = ["Left", "Top", "Right", "Bottom"];

/** A field in which a region of a form's picture is painted. */
export function maskField({ describedBy, form, onchange }) {
  let marks = null;
  let picture = null;
  let encoded = null;
  let useAlpha = false;
  let tool = "brush";
  let drawing = null;

  const overlay = el("canvas", { role: "img" });
  const shape = el("div", { class: "shape", hidden: true });
  const ring = el("div", { class: "ring", hidden: true });
  const stage = el("div", { class: "stage" });
  const said = el("p", { class: "muted", role: "status" });
  const save = el("a", { class: "muted", download: "mask.png", text: "Save the mask", hidden: true });
  const erase = button("Erase", () => toggleErase(), { "aria-pressed": "false" });
  const undo = button("Undo", () => change((all) => all.undo()));
  const invert = button("Invert", () => change((all) => all.step(() => all.invert())));
  const clear = button("Clear", () => change((all) => all.step(() => all.pixels.fill(0))));
  const brush = el("input", { type: "range", id: newId("brush"), min: 1, max: 200, value: 40 });
  const brushSaid = el("output", { for: brush.id });
  const enlarge = button("Enlarge", () => toggleLarge(), { "aria-pressed": "false" });
  const sides = SIDES.map((side) => el("input", { type: "number", id: newId("side"), min: 0, step: 1, "aria-label": side }));
  const numbersProblem = el("p", { class: "error", role: "alert", hidden: true });
  const alpha = el("input", { type: "checkbox", id: newId("alpha") });
  const alphaRow = el("p", { class: "check" }, alpha, el("label", { for: alpha.id, text: "Use the picture's own transparency" }));
  const tools = el(
    "div",
    { class: "tools" },
    segments("Tool", TOOLS, tool, (chosen) => (tool = chosen), { hidden: true }),
    el("div", { class: "row" }, erase, undo, invert, clear, enlarge),
    el("div", { class: "slider" }, el("label", { for: brush.id, text: "Brush size" }), brush, brushSaid),
  );
  const numbers = el(
    "details",
    { class: "numbers" },
    el("summary", { text: "Mark by numbers" }),
    el(
      "div",
      { class: "sides" },
      SIDES.map((side, i) => el("div", {}, el("label", { for: sides[i].id, text: side }), sides[i])),
    ),
    el(
      "div",
      { class: "row" },
      button("Mark rectangle", () => markByNumbers("rectangle")),
      button("Mark ellipse", () => markByNumbers("ellipse")),
    ),
    numbersProblem,
  );
  const empty = el("p", { class: "muted", text: "Choose a picture first, then paint over what is to be changed." });
  const element = el("div", { class: "mask-field", "aria-describedby": describedBy }, empty, alphaRow, tools, stage, el("div", { class: "row between" }, said, save), numbers);

  brush.addEventListener("input", showBrush);
  alpha.addEventListener("change", () => {
    useAlpha = alpha.checked;
    show();
    onchange();
  });

  // ------------------------------------------------------------------ painting

  const scale = () => overlay.getBoundingClientRect().width / marks.width;
  const radius = () => Number(brush.value) / 2;
  const ink = () => (erase.getAttribute("aria-pressed") === "true" ? 0 : 255);

  function place(event) {
    const box = overlay.getBoundingClientRect();
    return [(event.clientX - box.left) / scale(), (event.clientY - box.top) / scale()];
  }

  overlay.addEventListener("pointerdown", (event) => {
    if (!marks || event.button !== 0) return;
    event.preventDefault();
    overlay.setPointerCapture(event.pointerId);
    const point = place(event);
    drawing = { before: marks.pixels.slice(), start: point, last: point };
    if (tool === "brush") paint(point);
  });
  overlay.addEventListener("pointermove", (event) => {
    moveRing(event);
    if (!drawing) return;
    if (tool !== "brush") {
      drawing.last = place(event);
      showShape(boxOf(drawing));
      return;
    }
    const points = event.getCoalescedEvents?.() ?? [];
    for (const each of points.length ? points : [event]) paint(place(each));
  });
  overlay.addEventListener("pointerup", (event) => {
    if (!drawing) return;
    if (tool === "brush") paint(place(event));
    else {
      drawing.last = place(event);
      marks[tool](boxOf(drawing), ink());
    }
    finish();
  });
  overlay.addEventListener("pointercancel", () => drawing && finish());
  overlay.addEventListener("pointerleave", () => (ring.hidden = true));

  function paint(point) {
    marks.line(drawing.last, point, radius(), ink());
    const r = radius() + 1;
    const [xs, ys] = [[drawing.last[0], point[0]], [drawing.last[1], point[1]]];
    drawing.last = point;
    drawMarks(Math.min(...xs) - r, Math.min(...ys) - r, Math.max(...xs) + r, Math.max(...ys) + r);
  }

  function finish() {
    marks.remember(drawing.before);
    drawing = null;
    shape.hidden = true;
    if (tool !== "brush") drawMarks();
    changed();
  }

  function boxOf({ start, last }) {
    const [x0, y0, x1, y1] = [...start, ...last];
    return [Math.min(x0, x1), Math.min(y0, y1), Math.max(x0, x1), Math.max(y0, y1)];
  }

  function showShape([left, top, right, bottom]) {
    const by = scale();
    shape.hidden = false;
    shape.className = `shape ${tool}`;
    Object.assign(shape.style, {
      left: `${left * by}px`,
      top: `${top * by}px`,
      width: `${(right - left) * by}px`,
      height: `${(bottom - top) * by}px`,
    });
  }

  function moveRing(event) {
    ring.hidden = tool !== "brush" || event.pointerType === "touch";
    const size = `${brush.value * scale()}px`;
    const [x, y] = place(event);
    Object.assign(ring.style, { width: size, height: size, left: `${x * scale()}px`, top: `${y * scale()}px` });
  }

  function change(act) {
    if (!marks) return;
    act(marks);
    drawMarks();
    changed();
  }

  function markByNumbers(kind) {
    if (!marks) return;
    const box = sides.map((side) => (side.value === "" ? NaN : Number(side.value)));
    const [left, top, right, bottom] = box;
    const fine = box.every(Number.isInteger) && left >= 0 && top >= 0 && left < right && top < bottom;
    const within = right <= marks.width && bottom <= marks.height;
    numbersProblem.hidden = fine && within;
    numbersProblem.textContent = `Give four whole numbers: left < right ≤ ${marks.width}, top < bottom ≤ ${marks.height}.`;
    if (fine && within) change((all) => all.step(() => all[kind](box, ink())));
  }

  function toggleErase() {
    erase.setAttribute("aria-pressed", String(ink() !== 0));
  }

  function toggleLarge() {
    const large = element.classList.toggle("large");
    enlarge.setAttribute("aria-pressed", String(large));
    enlarge.textContent = large ? "Back" : "Enlarge";
  }

  element.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && element.classList.contains("large")) {
      toggleLarge();
      enlarge.focus();
    } else if (event.key === "z" && (event.ctrlKey || event.metaKey) && marks?.undoable.length) {
      event.preventDefault();
      change((all) => all.undo());
    }
  });

  element.addEventListener("focusout", ({ relatedTarget }) => {
    const left = relatedTarget !== null && !element.contains(relatedTarget); // to what lies below
    if (left && element.classList.contains("large")) toggleLarge();
  });

  // ------------------------------------------------------------------ showing

  function drawMarks(left = 0, top = 0, right = marks.width, bottom = marks.height) {
    const [x0, y0] = [Math.max(0, Math.floor(left)), Math.max(0, Math.floor(top))];
    const [x1, y1] = [Math.min(marks.width, Math.ceil(right)), Math.min(marks.height, Math.ceil(bottom))];
    if (x0 >= x1 || y0 >= y1) return;
    const image = new ImageData(x1 - x0, y1 - y0);
    for (let y = y0, at = 0; y < y1; y++) {
      for (let x = x0; x < x1; x++, at += 4) if (marks.pixels[y * marks.width + x]) image.data.set(MARK, at);
    }
    overlay.getContext("2d").putImageData(image, x0, y0);
  }

  function showBrush() {
    brushSaid.textContent = `${brush.value} px`;
  }

  function say() {
    const share = marks ? marks.count / marks.pixels.length : 0;
    const percent = share === 0 ? "Nothing" : share < 0.001 ? "Less than 0.1%" : `${(share * 100).toFixed(1)}% of the picture`;
    said.textContent = `${percent} is marked.`;
    overlay.setAttribute("aria-label", `The picture; ${said.textContent} Mark by numbers works without a mouse.`);
    undo.disabled = !marks?.undoable.length;
  }

  async function changed() {
    say();
    const { width, height, pixels, count } = marks;
    const asked = (changed.last = Symbol());
    const png = count ? await greyPng(width, height, pixels) : null;
    if (asked !== changed.last) return;
    encoded = png && toBase64(png);
    offer(png);
    onchange();
  }

  /** Let the mask be saved, for the code that uses it. */
  function offer(png) {
    URL.revokeObjectURL(save.href);
    save.href = png ? URL.createObjectURL(new Blob([png], { type: "image/png" })) : "";
    save.hidden = png === null;
  }

  function show() {
    empty.hidden = picture !== null;
    alphaRow.hidden = !picture?.has_alpha;
    tools.hidden = stage.hidden = said.hidden = numbers.hidden = picture === null || useAlpha;
    if (picture === null) return;
    const [width, height] = picture.size;
    overlay.width = width;
    overlay.height = height;
    brush.max = Math.max(10, Math.round(Math.min(width, height) / 2));
    sides.forEach((side, i) => (side.max = i % 2 ? height : width));
    showBrush();
    drawMarks();
    say();
  }

  /** The form's picture is another one: begin anew. */
  function follow(found) {
    if (found?.sha256 === picture?.sha256) return;
    picture = found;
    encoded = null;
    offer(null);
    useAlpha = alpha.checked = false;
    marks = picture && new Marks(...picture.size);
    if (picture) {
      brush.max = Math.max(10, Math.round(Math.min(...picture.size) / 2));
      brush.value = Math.max(4, Math.round(Math.min(...picture.size) / 12));
      stage.style.setProperty("--aspect", picture.size[0] / picture.size[1]);
      stage.replaceChildren(shownPicture(picture, ""), overlay, shape, ring);
    }
    show();
  }

  follow(form.picture());
  show();
  return {
    element,
    follow,
    focus: () => (picture ? tools.querySelector("input") : form.focus("image"))?.focus(),
    inputs: [],
    value: () => (useAlpha ? "alpha" : encoded === null ? null : { $mask: encoded }),
    save: () => picture && { sha256: picture.sha256, pixels: marks.pixels, useAlpha },
    async restore(saved) {
      if (!saved?.pixels || saved.sha256 !== picture?.sha256 || !pictureOf(saved.sha256)) return;
      marks.pixels.set(saved.pixels);
      marks.recount();
      useAlpha = alpha.checked = saved.useAlpha;
      show();
      await changed();
    },
    set() {},
  };
}
