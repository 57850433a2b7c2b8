// Pictures that the user gave, and the fields that take them: by dropping, pasting or choosing a file.

import { ApiError, uploadPicture, uprightPicture } from "./api.js";
import { button, el, inBytes } from "./dom.js";

/** Every picture of the session by its SHA-256; the server may forget them, this page does not. */
const known = new Map();

export const pictureOf = (sha256) => known.get(sha256);

/** Send a file to the server, which says what it is. */
export async function addPicture(blob, name = "") {
  const found = await uploadPicture(blob);
  if (!known.has(found.sha256)) known.set(found.sha256, { ...found, blob, name, url: URL.createObjectURL(blob) });
  return known.get(found.sha256);
}

/** Send every picture of a task once more, after the server has forgotten one. */
export async function uploadAgain(document) {
  for (const sha256 of picturesIn(document)) if (known.has(sha256)) await uploadPicture(known.get(sha256).blob);
}

/** The SHA-256 of every picture in a task. */
export function picturesIn(value) {
  if (Array.isArray(value)) return value.flatMap(picturesIn);
  if (value === null || typeof value !== "object") return [];
  return typeof value.$picture === "string" ? [value.$picture] : Object.values(value).flatMap(picturesIn);
}

/** Show a picture; a format that the browser does not know is converted by the server. */
export function shownPicture(picture, alt, properties = {}) {
  const image = el("img", { src: picture.url, alt, draggable: "false", ...properties });
  image.addEventListener(
    "error",
    async () => {
      picture.url = URL.createObjectURL(await uprightPicture(picture.sha256));
      image.src = picture.url;
    },
    { once: true },
  );
  return image;
}

let pasteInto = null;

document.addEventListener("paste", (event) => {
  const files = imagesIn(event.clipboardData);
  if (files.length && pasteInto?.isConnected) {
    event.preventDefault();
    pasteInto.dispatchEvent(new CustomEvent("pictures", { detail: files }));
  }
});
for (const type of ["dragover", "drop"]) document.addEventListener(type, (event) => event.preventDefault());

const imagesIn = (transfer) => [...(transfer?.files ?? [])].filter((file) => file.type.startsWith("image/") || !file.type);

/**
 * A field of one picture, or of several.
 *
 * most: how many; several: whether the value is a list.
 */
export function pictureField({ id, describedBy, label, most = 1, several = false, onchange }) {
  let pictures = [];
  let problem = "";
  const list = el("ul", { class: "thumbnails" });
  const input = el("input", { type: "file", accept: "image/*", id, class: "visually-hidden", "aria-label": label, "aria-describedby": describedBy });
  input.multiple = most > 1;
  input.addEventListener("change", () => take([...input.files]));
  const zone = el(
    "label",
    { class: "drop", for: id },
    el("strong", { text: most > 1 ? "Add pictures" : "Choose a picture" }),
    el("span", { class: "muted", text: "or drop or paste it here" }),
  );
  const element = el("div", { class: "picture-field" }, list, input, zone);

  element.addEventListener("pictures", (event) => take(event.detail));
  element.addEventListener("focusin", () => (pasteInto = element));
  element.addEventListener("pointerenter", () => (pasteInto = element));
  element.addEventListener("dragover", () => zone.classList.add("over"));
  element.addEventListener("dragleave", () => zone.classList.remove("over"));
  element.addEventListener("drop", (event) => {
    zone.classList.remove("over");
    take(imagesIn(event.dataTransfer));
  });
  if (!pasteInto?.isConnected) pasteInto = element;

  async function take(files) {
    input.value = "";
    if (!files.length) return;
    zone.classList.add("busy");
    problem = "";
    try {
      for (const file of files) {
        const picture = await addPicture(file, file.name ?? "");
        pictures = most === 1 ? [picture] : [...pictures, picture].slice(0, most);
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      problem = error.message;
    }
    zone.classList.remove("busy");
    draw();
    onchange();
  }

  function remove(picture) {
    pictures = pictures.filter((other) => other !== picture);
    draw();
    onchange();
    input.focus();
  }

  function draw() {
    list.replaceChildren(
      ...pictures.map((picture, index) => {
        const [width, height] = picture.size;
        const kind = picture.media_type.replace("image/", "").toUpperCase();
        const name = most > 1 ? `${label}, picture ${index + 1}` : label;
        return el(
          "li",
          {},
          shownPicture(picture, picture.name || name),
          el(
            "div",
            { class: "thumbnail-facts" },
            el("span", { class: "name", text: picture.name || "Picture" }),
            el("span", { class: "muted", text: `${width} × ${height} ${kind}, ${inBytes(picture.bytes)}` }),
          ),
          button("Remove", () => remove(picture), { class: "quiet", "aria-label": `Remove ${picture.name || name}` }),
        );
      }),
    );
    list.hidden = pictures.length === 0;
    zone.classList.toggle("compact", pictures.length > 0);
    zone.hidden = most > 1 && pictures.length >= most;
    zone.firstChild.textContent = most > 1 ? "Add pictures" : pictures.length ? "Choose another" : "Choose a picture";
  }

  draw();
  return {
    element,
    focus: () => input.focus(),
    inputs: [input],
    pictures: () => pictures,
    problem: () => problem,
    value: () => {
      const values = pictures.map((picture) => ({ $picture: picture.sha256 }));
      return several ? (values.length ? values : null) : (values[0] ?? null);
    },
    set(value) {
      const found = (Array.isArray(value) ? value : [value]).map((one) => known.get(one?.$picture)).filter(Boolean);
      pictures = found.slice(0, most);
      draw();
    },
  };
}

