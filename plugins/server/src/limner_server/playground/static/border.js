// The field of an outpaint: the borders of a picture are dragged outwards, or given in numbers.

import { el, newId } from "./dom.js";
import { shownPicture } from "./pictures.js";

const SIDES = ["left", "top", "right", "bottom"];
const WIDEST = 4; // times the picture, while dragging

export function borderField({ schema, label, describedBy, form, onchange }) {
  const most = schema.items.maximum ?? 10_000;
  let values = [0, 0, 0, 0];
  let picture = null;

  const inner = el("div", { class: "inner" });
  const handles = SIDES.map((side) => el("div", { class: `handle ${side}`, "aria-hidden": "true" }));
  const canvas = el("div", { class: "canvas" }, inner, handles);
  const stage = el("div", { class: "border-stage" }, canvas);
  const said = el("p", { class: "muted", role: "status" });
  const inputs = SIDES.map((side, i) => {
    const input = el("input", { type: "number", id: newId(side), min: 0, max: most, step: 1, "aria-describedby": describedBy });
    input.addEventListener("input", () => {
      values[i] = input.value === "" ? 0 : Number(input.value);
      draw();
      onchange();
    });
    return input;
  });
  const fields = SIDES.map((side, i) => {
    const name = side.charAt(0).toUpperCase() + side.slice(1);
    return el("div", {}, el("label", { for: inputs[i].id, text: name }), inputs[i]);
  });
  const element = el("div", { class: "border-field", role: "group", "aria-label": label }, el("div", { class: "sides" }, fields), stage, said);

  handles.forEach((handle, i) => {
    let grip = null;
    handle.addEventListener("pointerdown", (event) => {
      if (!picture) return;
      event.preventDefault();
      handle.setPointerCapture(event.pointerId);
      grip = { at: i % 2 ? event.clientY : event.clientX, from: values[i], scale: canvas.clientWidth / fullSize()[0] };
    });
    handle.addEventListener("pointermove", (event) => {
      if (!grip) return;
      const moved = ((i % 2 ? event.clientY : event.clientX) - grip.at) * (i < 2 ? -1 : 1);
      const limit = Math.min(most, WIDEST * picture.size[i % 2]);
      const step = schema.items.multipleOf ?? 1;
      const wished = Math.min(limit, Math.max(0, grip.from + moved / grip.scale));
      values[i] = Math.round(wished / step) * step;
      inputs[i].value = values[i] || "";
      draw();
    });
    for (const end of ["pointerup", "pointercancel"])
      handle.addEventListener(end, () => {
        if (!grip) return;
        grip = null;
        onchange();
      });
  });

  function fullSize() {
    const [left, top, right, bottom] = values.map((value) => Math.max(0, value || 0));
    return [left + picture.size[0] + right, top + picture.size[1] + bottom];
  }

  /** Percentages, so that it follows the width of the page. */
  function draw() {
    stage.hidden = picture === null;
    said.textContent = "Choose a picture first, then drag its borders.";
    if (picture === null) return;
    const [width, height] = fullSize();
    const [left, top] = values;
    canvas.style.aspectRatio = `${width} / ${height}`;
    canvas.style.maxWidth = `min(100%, ${Math.round((26 * width) / height)}rem)`;
    Object.assign(inner.style, {
      left: `${(100 * left) / width}%`,
      top: `${(100 * top) / height}%`,
      width: `${(100 * picture.size[0]) / width}%`,
      height: `${(100 * picture.size[1]) / height}%`,
    });
    said.textContent = `The result has ${width} × ${height} pixels.`;
  }

  function follow(found) {
    if (found?.sha256 === picture?.sha256) return;
    picture = found;
    inner.replaceChildren(...(picture ? [shownPicture(picture, "")] : []));
    draw();
  }

  follow(form.picture());
  draw();
  return {
    element,
    follow,
    focus: () => inputs[0].focus(),
    inputs,
    value: () => (values.some((value) => value !== 0) ? values : null),
    set(value) {
      values = Array.isArray(value) && value.length === 4 ? [...value] : [0, 0, 0, 0];
      inputs.forEach((input, i) => (input.value = values[i] || ""));
      draw();
    },
  };
}
