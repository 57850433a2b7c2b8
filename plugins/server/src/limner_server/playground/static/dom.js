// Small helpers for the page. Text is only ever set as text, never as HTML.

let last = 0;

/** Return an id that nothing else on the page has. */
export const newId = (name) => `${name}-${++last}`;

/**
 * Make an element. Properties that begin with "on" are listeners, "text" is its text, all others are attributes.
 * Attributes that are null, undefined or false are left out.
 */
export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "text") node.textContent = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** Make a button that submits nothing. */
export const button = (text, onclick, properties = {}) => el("button", { type: "button", text, onclick, ...properties });

/** Make a group of radio buttons that look like one control. */
export function segments(legend, choices, chosen, onchange, { hidden = false } = {}) {
  const name = newId("choice");
  const inputs = choices.map(({ value, label }) => {
    const input = el("input", { type: "radio", name, value, id: newId("radio"), onchange: () => onchange(value) });
    input.checked = value === chosen;
    return [input, el("label", { for: input.id, text: label })];
  });
  return el(
    "fieldset",
    { class: "segments" },
    el("legend", { class: hidden ? "visually-hidden" : null, text: legend }),
    el("div", { class: "segments-row" }, inputs.flat()),
  );
}

/** Write a parameter's name as a label. */
export function inWords(name) {
  if (name === "n") return "Number of pictures";
  const words = name.replaceAll("_", " ").replaceAll("-", " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export const TASK_LABELS = {
  generate: "Generate",
  vary: "Vary",
  inpaint: "Edit",
  outpaint: "Outpaint",
  "remove-background": "Remove background",
  upscale: "Upscale",
};

export const taskLabel = (kind) => TASK_LABELS[kind] ?? inWords(kind);

/** Write a number of bytes. */
export function inBytes(count) {
  if (count < 1000) return `${count} bytes`;
  return count < 1e6 ? `${Math.round(count / 1e3)} kB` : `${(count / 1e6).toFixed(1)} MB`;
}

/** Read base64. */
export function fromBase64(text) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** Write bytes as base64. */
export function toBase64(bytes) {
  let binary = "";
  for (let i = 0; i < bytes.length; i += 0x8000) binary += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(binary);
}
