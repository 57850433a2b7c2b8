// The form of a task, made from limner.describe's document alone.

import { el, inWords, newId, segments } from "./dom.js";
import { GROUPS, kindOf, makeField } from "./fields.js";
import { pictureOf } from "./pictures.js";

const FIRST = ["image", "prompt", "mask", "mask_prompt", "expand", "keep_prompt"];
const PLAIN = ["n", "size", "seed", "strength"];
const MAIN = [...FIRST, ...PLAIN];

export class TaskForm {
  /** task: how describe describes it; maxN: pictures in one request; onchange: called when a value changes. */
  constructor(kind, task, { maxN, onchange }) {
    this.kind = kind;
    this.task = task;
    this.fields = new Map(); // by parameter, or options.NAME
    this.chosen = null; // of the parameters of which exactly one is given
    this.touched = new Set();
    this.changed = () => {
      this.follow();
      onchange();
    };
    this.maxN = maxN;
    this.element = el("div", { class: "fields" });
    this.build();
  }

  build() {
    const { parameters, options, exactly_one_of: either } = this.task;
    const order = (name) => (MAIN.includes(name) ? MAIN.indexOf(name) : MAIN.length);
    const names = Object.keys(parameters).sort((a, b) => order(a) - order(b));
    const rows = new Map(names.map((name) => [name, this.row(name, parameters[name])]));
    const optionRows = Object.entries(options).map(([name, parameter]) => [parameter.required, this.row(`options.${name}`, parameter)]);
    const isMain = (name) => parameters[name].required || MAIN.includes(name);
    const main = names.filter(isMain);
    const rest = names.filter((name) => !isMain(name));

    const group = either.length > 1 ? this.either(either, rows) : null;
    let placed = false;
    for (const name of main) {
      if (!either.includes(name) || !group) this.element.append(rows.get(name));
      else if (!placed) this.element.append(group);
      placed ||= either.includes(name);
    }
    this.element.append(...optionRows.filter(([required]) => required).map(([, row]) => row));
    const advanced = [...rest.map((name) => rows.get(name)), ...optionRows.filter(([required]) => !required).map(([, row]) => row)];
    if (advanced.length) {
      this.advanced = el("details", { class: "advanced" }, el("summary", { text: `Advanced (${advanced.length})` }), advanced);
      this.element.append(this.advanced);
    }
  }

  /** The fields of which exactly one is given: a choice, and the one that is chosen. */
  either(names, rows) {
    this.choices = names;
    const choices = names.map((name) => ({ value: name, label: CHOICES[name] ?? inWords(name) }));
    const place = el("div");
    this.choose = (name) => {
      this.chosen = name;
      place.replaceChildren(rows.get(name));
      const input = chooser.querySelector(`input[value="${name}"]`);
      if (input) input.checked = true;
    };
    const chooser = segments(this.kind === "outpaint" ? "What to paint" : "Where to paint", choices, names[0], (name) => {
      this.choose(name);
      this.changed();
    });
    this.choose(names[0]);
    return el("div", { class: "either" }, chooser, place);
  }

  row(name, parameter) {
    const id = newId("field");
    const label = inWords(name.replace("options.", ""));
    const hintId = newId("hint");
    const errorId = newId("error");
    const schema = name === "n" ? { ...parameter.schema, maximum: Math.min(parameter.schema.maximum, this.maxN) } : parameter.schema;
    const field = makeField({
      schema,
      id,
      label,
      describedBy: `${hintId} ${errorId}`,
      fallback: parameter.default,
      required: parameter.required,
      placeholder: name === "seed" ? "random" : undefined,
      form: this,
      onchange: () => {
        this.touched.add(name);
        this.changed();
      },
    });
    const isGroup = GROUPS.has(kindOf(schema));
    const needed = parameter.required ? el("span", { class: "needed", text: "required" }) : null;
    const error = el("p", { class: "error", id: errorId, hidden: true });
    const hint = el("p", { class: "hint", id: hintId, text: hintOf(parameter), title: parameter.source || null });
    const row = isGroup
      ? el("fieldset", { class: "field" }, el("legend", {}, label, needed), field.element, hint, error)
      : el("div", { class: "field" }, el("label", { for: id }, label, needed), field.element, hint, error);
    row.dataset.name = name;
    row.addEventListener("focusout", () => this.touched.add(name));
    this.fields.set(name, { field, error, hint, row, parameter });
    return row;
  }

  /** The first picture of the task, which masks and borders belong to. */
  picture() {
    const value = this.fields.get("image")?.field.value() ?? null;
    return pictureOf((Array.isArray(value) ? value[0] : value)?.$picture) ?? null;
  }

  follow() {
    const picture = this.picture();
    for (const { field } of this.fields.values()) field.follow?.(picture);
  }

  isActive(name) {
    return !this.choices?.includes(name) || name === this.chosen;
  }

  /** The task as limner reads it from JSON. */
  document() {
    const document = { task: this.kind };
    const options = {};
    for (const [name, { field }] of this.fields) {
      const value = this.isActive(name) ? field.value() : null;
      if (value === null) continue;
      if (name.startsWith("options.")) options[name.slice("options.".length)] = value;
      else document[name] = value;
    }
    return Object.keys(options).length ? { ...document, options } : document;
  }

  /** Problems that only the page can see, such as text that is no JSON. */
  ownProblems() {
    return [...this.fields]
      .map(([parameter, { field }]) => ({ parameter, limit: this.isActive(parameter) ? (field.problem?.() ?? "") : "", source: "" }))
      .filter(({ limit }) => limit);
  }

  /**
   * Show each problem at its field; what is only not given yet is not shown before the user has been there.
   *
   * Returns the problems that belong to no field, and the names of the fields that are still to be filled in.
   */
  show(problems, { all = false } = {}) {
    const byField = new Map();
    const others = [];
    for (const problem of problems) {
      const name = this.fieldOf(problem.parameter);
      if (name === null) others.push(problem);
      else byField.set(name, [...(byField.get(name) ?? []), problem]);
    }
    const missing = [];
    for (const [name, { field, error, row }] of this.fields) {
      const found = byField.get(name) ?? [];
      if (all) this.touched.add(name);
      const isEmpty = field.value() === null && !(field.problem?.() ?? "");
      const shown = found.length > 0 && (!isEmpty || this.touched.has(name));
      if (found.length && isEmpty) missing.push(inWords(name.replace("options.", "")));
      const text = shown ? found.map(({ limit }) => limit).join("; ") : "";
      if (error.textContent !== text) error.textContent = text;
      error.title = shown ? found.map(({ source }) => source).filter(Boolean).join("; ") : "";
      error.hidden = !shown;
      row.classList.toggle("wrong", shown);
      for (const input of field.inputs) input.setAttribute("aria-invalid", String(shown));
      if (shown && this.advanced?.contains(row)) this.advanced.open = true;
    }
    return { others, missing };
  }

  fieldOf(parameter) {
    const names = parameter.split(/ and | or /);
    const known = names.filter((name) => this.fields.has(name));
    return known.find((name) => this.isActive(name)) ?? known[0] ?? null;
  }

  /** Say below a field what is sent although it was not given. */
  note(name, text) {
    const found = this.fields.get(name);
    if (found) found.hint.textContent = text || hintOf(found.parameter);
  }

  focus(name) {
    const found = this.fields.get(name);
    if (found && this.advanced?.contains(found.row)) this.advanced.open = true;
    found?.field.focus();
    return found?.field;
  }

  focusFirstWrong() {
    for (const { field, row } of this.fields.values()) {
      if (row.classList.contains("wrong") && row.isConnected) {
        if (this.advanced?.contains(row)) this.advanced.open = true;
        field.focus();
        row.scrollIntoView({ block: "nearest" });
        return true;
      }
    }
    return false;
  }

  /** What was filled in, for another form or the history. */
  save() {
    const values = {};
    for (const [name, { field }] of this.fields) {
      const value = field.save ? field.save() : field.value();
      if (value !== null) values[name] = value;
    }
    return { values, chosen: { [this.kind]: this.chosen } };
  }

  restore({ values, chosen }) {
    for (const [name, { field }] of this.fields) {
      if (name in values && !field.restore) field.set(values[name]);
    }
    this.follow();
    for (const [name, { field }] of this.fields) field.restore?.(values[name]);
    if (this.choices?.includes(chosen[this.kind])) this.choose(chosen[this.kind]);
    this.follow();
  }
}

const CHOICES = {
  mask: "Painted region",
  mask_prompt: "In words",
  expand: "Beyond the borders",
  keep_prompt: "All but, in words",
};

function hintOf({ limit, schema }) {
  if (kindOf(schema) === "mask") return "What is marked is repainted; all else stays exactly as it is.";
  if (["choice", "pairs", "flag"].includes(kindOf(schema))) return ""; // the choices say it
  return limit.length > 140 ? `${limit.slice(0, 139)}…` : limit;
}
