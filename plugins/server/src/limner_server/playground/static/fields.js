// One field for each kind of JSON Schema. Nothing here knows a model, or the name of an option.
//
// A field has: element; value(), null where nothing is given; set(value); focus(); inputs, the elements that carry
// "aria-invalid"; and where it needs them problem(), save(), restore(saved) and follow(picture).

import { borderField } from "./border.js";
import { button, el, inWords, newId } from "./dom.js";
import { maskField } from "./mask.js";
import { pictureField } from "./pictures.js";

const MOST_STEPS = 10_000; // a longer range is no use as a slider

const isPicture = (schema) => schema.type === "string" && schema.contentEncoding === "base64";
const isPart = (schema) => schema.type === "object" && schema.properties?.$text !== undefined;

/** Tell what kind of field a schema needs. */
export function kindOf(schema) {
  if (schema.enum) return schema.enum.every((item) => Array.isArray(item)) ? "pairs" : "choice";
  if (isPicture(schema)) return schema.contentMediaType === "image/png" && !schema.anyOf ? "mask" : "picture";
  if (schema.anyOf) return "variants";
  switch (schema.type) {
    case "boolean":
      return "flag";
    case "integer":
    case "number":
      return "number";
    case "string":
      return "text";
    case "array":
      if (schema.prefixItems?.length === 2) return "pair";
      if (isPicture(schema.items ?? {})) return "pictures";
      if (schema.items?.type === "integer" && schema.minItems === 4 && schema.maxItems === 4) return "border";
      return schema.items ? "list" : "json";
    case "object":
      return isPart(schema) ? "part" : "json";
    default:
      return "json";
  }
}

const MAKERS = {
  choice: choiceField,
  pairs: pairsField,
  flag: flagField,
  number: numberField,
  text: textField,
  pair: pairField,
  picture: pictureField,
  pictures: (context) =>
    pictureField({ ...context, most: context.schema.maxItems ?? 16, several: true }),
  mask: maskField,
  border: borderField,
  variants: variantsField,
  list: listField,
  part: partField,
  json: jsonField,
};

/** Fields that are a group of inputs and need a legend in place of a label. */
export const GROUPS = new Set(["mask", "border", "list", "pair", "part", "variants"]);

/** Make the field of a schema; context: schema, id, label, describedBy, fallback (what is sent if nothing is given), form, onchange. */
export const makeField = (context) => MAKERS[kindOf(context.schema)](context);

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const asText = (value) => (Array.isArray(value) ? value.join(" × ") : String(value));

// ------------------------------------------------------------------ choices

function selectField({ id, label, describedBy, fallback, required, onchange }, choices) {
  const left = fallback === null || fallback === undefined ? (required ? "Choose…" : "Not set") : `Default (${asText(fallback)})`;
  const select = el(
    "select",
    { id, "aria-label": label, "aria-describedby": describedBy, onchange },
    el("option", { value: "", text: left }),
    choices.map(({ label: text }, i) => el("option", { value: i, text })),
  );
  return {
    element: select,
    inputs: [select],
    focus: () => select.focus(),
    value: () => (select.value === "" ? null : choices[Number(select.value)].value),
    set(value) {
      const found = choices.findIndex((choice) => same(choice.value, value));
      select.value = found < 0 ? "" : String(found);
    },
  };
}

function choiceField(context) {
  return selectField(context, context.schema.enum.map((value) => ({ value, label: String(value) })));
}

function flagField(context) {
  return selectField(context, [
    { value: true, label: "Yes" },
    { value: false, label: "No" },
  ]);
}

function pairsField(context) {
  return selectField(context, context.schema.enum.map((value) => ({ value, label: asText(value) })));
}

// ------------------------------------------------------------------ numbers

function stepOf({ type, minimum, maximum, multipleOf }) {
  if (multipleOf) return multipleOf;
  if (type === "integer") return 1;
  const span = maximum - minimum;
  return span <= 2 ? 0.01 : span <= 50 ? 0.1 : 1;
}

const hasSlider = ({ minimum, maximum }, step) =>
  Number.isFinite(minimum) && Number.isFinite(maximum) && (maximum - minimum) / step <= MOST_STEPS;

function numberField({ schema, id, label, describedBy, fallback, placeholder, onchange }) {
  const { minimum, maximum } = schema;
  const step = stepOf(schema);
  const known = fallback ?? null;
  const input = el("input", {
    type: "number",
    id,
    "aria-label": label,
    "aria-describedby": describedBy,
    min: minimum,
    max: maximum,
    step: schema.type === "integer" ? step : "any",
    placeholder: placeholder ?? (known === null ? "not set" : known),
    inputmode: schema.type === "integer" ? "numeric" : "decimal",
  });
  const element = el("div", { class: "number" });
  let slider = null;
  if (hasSlider(schema, step)) {
    slider = el("input", { type: "range", min: minimum, max: maximum, step, "aria-label": `${label}, slider` });
    slider.addEventListener("input", () => {
      input.value = slider.value;
      show();
      onchange();
    });
    element.append(slider);
  }
  input.addEventListener("input", () => {
    show();
    onchange();
  });
  const reset = button("Reset", () => set(null, true), { class: "quiet", "aria-label": `Reset ${label}` });
  element.append(input, reset);

  function show() {
    const given = input.value !== "";
    if (slider) {
      slider.value = given ? input.value : (known ?? minimum);
      slider.classList.toggle("unset", !given);
    }
    reset.classList.toggle("gone", !given);
  }

  function set(value, byUser = false) {
    input.value = value ?? "";
    show();
    if (byUser) {
      input.focus();
      onchange();
    }
  }

  show();
  return {
    element,
    inputs: [input],
    focus: () => input.focus(),
    value: () => (input.value === "" ? null : Number(input.value)),
    problem() {
      if (input.validity.badInput) return "must be a number";
      const exact = schema.type !== "integer" || !Number.isInteger(Number(input.value)) || Number.isSafeInteger(Number(input.value));
      return exact ? "" : `this page writes whole numbers up to ${Number.MAX_SAFE_INTEGER} only`;
    },
    set,
  };
}

/** Width and height; those that the schema gives as examples can be chosen. */
function pairField({ schema, id, label, describedBy, fallback, onchange }) {
  const inputs = schema.prefixItems.map((side, i) =>
    el("input", {
      type: "number",
      id: i ? newId("height") : id,
      "aria-label": `${label}: ${i ? "height" : "width"}`,
      "aria-describedby": describedBy,
      min: side.minimum,
      max: side.maximum,
      step: side.multipleOf ?? 1,
      placeholder: Array.isArray(fallback) ? fallback[i] : i ? "height" : "width",
      oninput: onchange,
    }),
  );
  const examples = schema.examples?.filter((pair) => Array.isArray(pair) && pair.length === 2) ?? [];
  const chips = examples.map((pair) => {
    const choose = button(pair.join(":"), () => {
      inputs.forEach((input, i) => (input.value = pair[i]));
      onchange();
    });
    choose.setAttribute("aria-label", `${pair.join(":")}, ${label}`);
    return choose;
  });
  const element = el(
    "div",
    { class: "pair-field" },
    el("div", { class: "pair" }, inputs[0], el("span", { "aria-hidden": "true", text: "×" }), inputs[1]),
    chips.length > 0 && el("div", { class: "chips" }, chips),
  );
  return {
    element,
    inputs,
    focus: () => inputs[0].focus(),
    value: () => (inputs.every((input) => input.value === "") ? null : inputs.map((input) => Number(input.value))),
    problem: () => (inputs.some((input) => input.value === "") && inputs.some((input) => input.value !== "") ? "needs width and height" : ""),
    set: (value) => inputs.forEach((input, i) => (input.value = value?.[i] ?? "")),
  };
}

// ------------------------------------------------------------------ texts

function textField({ schema, id, label, describedBy, fallback, onchange }) {
  const isWords = schema.pattern === "\\S"; // a description rather than a name
  const input = el(isWords ? "textarea" : "input", {
    id,
    "aria-label": label,
    "aria-describedby": describedBy,
    placeholder: typeof fallback === "string" ? fallback : null,
    ...(isWords ? { rows: 2 } : { type: "text" }),
    oninput: () => {
      count();
      onchange();
    },
  });
  const counter = schema.maxLength ? el("span", { class: "counter", "aria-hidden": "true" }) : null;
  const element = counter ? el("div", { class: "counted" }, input, counter) : input;

  function count() {
    if (!counter) return;
    const length = [...input.value].length;
    counter.textContent = `${length} / ${schema.maxLength}`;
    counter.classList.toggle("over", length > schema.maxLength);
    counter.hidden = length < schema.maxLength / 2;
  }

  count();
  return {
    element,
    inputs: [input],
    focus: () => input.focus(),
    value: () => (input.value === "" ? null : input.value),
    set(value) {
      input.value = typeof value === "string" ? value : "";
      count();
    },
  };
}

/** A text with a weight. */
function partField({ schema, label, describedBy, onchange }) {
  const text = makeField({ schema: schema.properties.$text, id: newId("text"), label: `${label}: text`, describedBy, onchange });
  const weight = el("input", {
    type: "number",
    "aria-label": `${label}: weight`,
    "aria-describedby": describedBy,
    step: "any",
    min: schema.properties.weight?.minimum,
    max: schema.properties.weight?.maximum,
    oninput: onchange,
  });
  weight.value = 1;
  return {
    element: el("div", { class: "part" }, text.element, weight),
    inputs: [...text.inputs, weight],
    focus: () => text.focus(),
    value: () => (text.value() === null ? null : { $text: text.value(), weight: Number(weight.value) }),
    set(value) {
      text.set(value?.$text ?? "");
      weight.value = value?.weight ?? 1;
    },
  };
}

/** JSON as text, for what has no form of its own. */
function jsonField({ schema, id, label, describedBy, onchange }) {
  const input = el("textarea", { id, "aria-label": label, "aria-describedby": describedBy, rows: 3, class: "code", spellcheck: "false" });
  input.placeholder = schema.type === "array" ? "[…]" : schema.type === "object" ? "{…}" : "JSON";
  input.addEventListener("input", onchange);
  const parsed = () => {
    try {
      return { value: input.value.trim() === "" ? null : JSON.parse(input.value) };
    } catch (error) {
      return { value: null, problem: `is not JSON: ${error.message}` };
    }
  };
  return {
    element: input,
    inputs: [input],
    focus: () => input.focus(),
    problem: () => parsed().problem ?? "",
    value() {
      const { value } = parsed();
      return value !== null && typeof value === "object" && !Array.isArray(value) ? { $object: value } : value;
    },
    set: (value) => (input.value = value === null || value === undefined ? "" : JSON.stringify(value.$object ?? value)),
  };
}

// ------------------------------------------------------------------ lists and variants

function listField(context) {
  const { schema, label, onchange } = context;
  const most = schema.maxItems ?? Infinity;
  const rows = [];
  const list = el("ol", { class: "items" });
  const add = button("Add", () => {
    append().focus();
    onchange();
  });
  add.setAttribute("aria-label", `Add to ${label}`);
  const element = el("div", { class: "list-field" }, list, add);

  function append(value) {
    const field = makeField({ ...context, schema: schema.items, id: newId("item"), label: `${label} ${rows.length + 1}`, fallback: null });
    if (value !== undefined) field.set(value);
    const row = { field };
    const remove = button("Remove", () => {
      rows.splice(rows.indexOf(row), 1);
      row.element.remove();
      show();
      add.focus();
      onchange();
    });
    remove.className = "quiet";
    remove.setAttribute("aria-label", `Remove ${label} ${rows.length + 1}`);
    row.element = el("li", {}, field.element, remove);
    rows.push(row);
    list.append(row.element);
    show();
    return field;
  }

  function show() {
    list.hidden = rows.length === 0;
    add.disabled = rows.length >= most;
  }

  show();
  return {
    element,
    get inputs() {
      return rows.flatMap((row) => row.field.inputs);
    },
    focus: () => (rows[0]?.field ?? add).focus(),
    problem: () => rows.map((row) => row.field.problem?.() ?? "").find(Boolean) ?? "",
    value() {
      const values = rows.map((row) => row.field.value()).filter((value) => value !== null);
      return values.length ? values : null;
    },
    set(value) {
      rows.splice(0);
      list.replaceChildren();
      for (const item of Array.isArray(value) ? value : []) append(item);
      show();
    },
  };
}

const PLAIN = (value) => (typeof value === "string" ? value : (value?.$text ?? ""));

/** One of several forms, such as one text or a list of texts with weights. */
function variantsField(context) {
  const { schema, label, onchange } = context;
  const fields = schema.anyOf.map((variant, i) =>
    makeField({ ...context, schema: variant, id: i ? newId("variant") : context.id }),
  );
  let chosen = 0;
  const names = schema.anyOf.map((variant) => {
    if (kindOf(variant) !== "list") return kindOf(variant) === "text" ? "One text" : inWords(kindOf(variant));
    return isPart(variant.items) ? "Weighted parts" : "Several";
  });
  const place = el("div", {});
  const next = button("", () => choose((chosen + 1) % fields.length, true), { class: "quiet variant" });
  const element = el("div", { class: "variants" }, place, next);

  function choose(index, byUser = false) {
    const value = fields[chosen].value();
    chosen = index;
    place.replaceChildren(fields[chosen].element);
    next.textContent = `${names[(chosen + 1) % fields.length]}…`;
    next.setAttribute("aria-label", `${next.textContent} for ${label}`);
    if (!byUser) return;
    if (Array.isArray(value)) fields[chosen].set(value.map(PLAIN).filter(Boolean).join(", "));
    else if (kindOf(schema.anyOf[chosen]) === "list") {
      fields[chosen].set([isPart(schema.anyOf[chosen].items) ? { $text: PLAIN(value), weight: 1 } : PLAIN(value)]);
    }
    fields[chosen].focus();
    onchange();
  }

  choose(0);
  return {
    element,
    get inputs() {
      return fields[chosen].inputs;
    },
    focus: () => fields[chosen].focus(),
    problem: () => fields[chosen].problem?.() ?? "",
    value: () => fields[chosen].value(),
    set(value) {
      choose(Array.isArray(value) ? Math.max(0, schema.anyOf.findIndex((variant) => variant.type === "array")) : 0);
      fields[chosen].set(value);
    },
  };
}
