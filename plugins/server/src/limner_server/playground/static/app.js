// The page: which model and task, what will be sent, and the runs.

import { getModel, getModels, getPlans } from "./api.js";
import { button, el, inWords, newId, segments, taskLabel } from "./dom.js";
import { TaskForm } from "./form.js";
import { History } from "./history.js";
import { addPicture, picturesIn, pictureOf, uploadAgain } from "./pictures.js";
import { Requests } from "./requests.js";
import { Chosen, Run } from "./results.js";

const PAUSE = 200; // milliseconds between the last change and the plan
const MOST_MODELS = 8; // at once

const page = {
  models: [],
  maxN: 1,
  model: null, // what describe says of the chosen one
  kind: null,
  form: null,
  fit: "strict",
  others: new Set(), // further models for the same task
  saved: { values: {}, chosen: {} }, // what was filled in, for the next form
  plans: [],
  seeds: {}, // drawn by limner, by model: what is shown is what is sent
  running: [],
};
const place = (id) => document.getElementById(id);
const requests = new Requests(place("request"));
const history = new History(place("history"), (entry) => restore(entry));
const chosen = new Chosen();

const modelSelect = el("select", { id: newId("model"), onchange: () => chooseModel(modelSelect.value) });
const lifecycle = el("div");
const taskPlace = el("div");
const fieldsPlace = el("div");
const othersPlace = el("details", { class: "others" });
const fitPlace = el("div");
const money = el("div", { class: "money" });
const still = el("p", { class: "muted", id: newId("still"), role: "status" });
const runButton = el("button", { type: "submit", class: "primary", text: "Run", "aria-describedby": still.id });
const cancelButton = button("Cancel", () => page.running.forEach((run) => run.cancel()), { hidden: true });

// ---------------------------------------------------------------------- models and tasks

async function start() {
  try {
    const found = await getModels();
    page.models = found.models;
    page.maxN = found.max_n;
    place("version").textContent = `limner ${found.limner}`;
    build();
    const first = page.models.find(({ id }) => id === found.default) ?? page.models.find(({ error }) => !error);
    if (!first) throw new Error("No model is installed; install limner-sketch to try limner offline.");
    await chooseModel(first.id);
  } catch (error) {
    const hint = error.status === 401 ? " Open the address that 'limner playground' printed, with the key behind '#'." : "";
    place("form").replaceChildren(el("p", { class: "notice error-box", role: "alert", text: `${error.message}${hint}` }));
  }
}

const nameOf = ({ id, aliases }) => aliases[0] ?? id;
const summary = (id) => page.models.find((model) => model.id === id);

function build() {
  const groups = new Map();
  for (const model of page.models) groups.set(model.plugin, [...(groups.get(model.plugin) ?? []), model]);
  for (const [plugin, models] of groups) {
    const options = models.map((model) => {
      const state = model.lifecycle && model.lifecycle.state !== "active" ? ` (${model.lifecycle.state})` : "";
      return el("option", { value: model.id, disabled: Boolean(model.error), text: `${nameOf(model)}${model.error ? " (broken)" : state}` });
    });
    modelSelect.append(el("optgroup", { label: plugin }, options));
  }
  const fits = [
    { value: "strict", label: "Refuse" },
    { value: "nearest", label: "Use the nearest" },
  ];
  fitPlace.append(
    segments("Values that the model does not take", fits, page.fit, (fit) => {
      page.fit = fit;
      changed();
    }),
  );
  const form = place("form");
  form.replaceChildren(
    el("div", { class: "field" }, el("label", { for: modelSelect.id, text: "Model" }), modelSelect),
    lifecycle,
    taskPlace,
    fieldsPlace,
    othersPlace,
    fitPlace,
    el("div", { class: "run-bar" }, money, still, el("div", { class: "row" }, runButton, cancelButton)),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    startRun();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) startRun();
  });
  form.addEventListener("focusout", () => setTimeout(showProblems, 0));
}

async function chooseModel(id, kind = page.kind) {
  page.model = await getModel(id);
  modelSelect.value = id;
  page.others.delete(id);
  showLifecycle();
  chooseTask(kind in page.model.tasks ? kind : Object.keys(page.model.tasks)[0]);
}

function showLifecycle() {
  lifecycle.replaceChildren(...[page.model, ...others()].map(lifecycleNotice).filter(Boolean));
}

function lifecycleNotice({ lifecycle: { state, legacy_since, end_of_life, replacement }, ...model }) {
  if (state === "active") return null;
  const what = state === "retired" ? `is past its end of life (${end_of_life}) and cannot be called at the provider any more` : `is legacy${legacy_since ? ` since ${legacy_since}` : ""}${end_of_life ? ` and ends on ${end_of_life}` : ""}`;
  return el("p", { class: "notice warning", role: "note", text: `${nameOf(model)} ${what}.${replacement ? ` Use instead: ${replacement}.` : ""}` });
}

function chooseTask(kind) {
  if (page.form) remember();
  page.kind = kind;
  page.seeds = {};
  const kinds = Object.keys(page.model.tasks).map((value) => ({ value, label: taskLabel(value) }));
  const focused = taskPlace.contains(document.activeElement);
  taskPlace.replaceChildren(segments("Task", kinds, kind, chooseTask));
  page.form = new TaskForm(kind, page.model.tasks[kind], { maxN: page.maxN, onchange: changed });
  fieldsPlace.replaceChildren(page.form.element);
  page.form.restore(page.saved);
  if (focused) taskPlace.querySelector("input:checked").focus();
  showOthers();
  changed();
}

function remember() {
  const { values, chosen: which } = page.form.save();
  for (const name of page.form.fields.keys()) delete page.saved.values[name];
  page.saved = { values: { ...page.saved.values, ...values }, chosen: { ...page.saved.chosen, ...which } };
}

const others = () => [...page.others].map(summary).filter((model) => model?.tasks.includes(page.kind) && model.id !== page.model.id);

/** Further models that take the same task, to see them side by side. */
function showOthers() {
  const able = page.models.filter((model) => !model.error && model.id !== page.model.id && model.tasks.includes(page.kind));
  const open = othersPlace.open;
  const summaryText = el("summary");
  const count = () => (summaryText.textContent = `Side by side with other models (${others().length} of ${able.length})`);
  const boxes = able.map((model) => {
    const box = el("input", { type: "checkbox", id: newId("other") });
    box.checked = page.others.has(model.id);
    box.addEventListener("change", () => {
      if (box.checked && others().length >= MOST_MODELS - 1) box.checked = false;
      page.others[box.checked ? "add" : "delete"](model.id);
      count();
      showLifecycle();
      changed();
    });
    const state = model.lifecycle.state === "active" ? "" : ` (${model.lifecycle.state})`;
    return el("p", { class: "check" }, box, el("label", { for: box.id, text: `${nameOf(model)}${state}` }));
  });
  othersPlace.replaceChildren(summaryText, el("div", { class: "check-list" }, boxes));
  othersPlace.hidden = able.length === 0;
  othersPlace.open = open;
  count();
  showLifecycle();
}

// ---------------------------------------------------------------------- plans

let timer = null;
let planning = null;

function changed() {
  clearTimeout(timer);
  planning?.abort();
  timer = setTimeout(plan, PAUSE);
  place("request").setAttribute("aria-busy", "true");
}

function order(models, task = page.form.document()) {
  const names = Object.fromEntries(picturesIn(task).map((sha256) => [sha256, pictureOf(sha256)?.name ?? ""]));
  const seeds = Object.fromEntries(Object.entries(page.seeds).filter(([model]) => models.includes(model)));
  return { models, task, fit: page.fit, seeds, names };
}

async function plan() {
  planning = new AbortController();
  const { signal } = planning;
  const asked = order([page.model.id, ...others().map(({ id }) => id)]);
  try {
    page.plans = await getPlans(asked, signal).catch(async (error) => {
      if (error.code !== "picture_missing") throw error;
      await uploadAgain(asked.task);
      return getPlans(asked, signal);
    });
  } catch (error) {
    if (error.name === "AbortError" || signal.aborted) return;
    page.plans = [{ model: page.model.id, problems: [{ parameter: "", limit: error.message, source: "" }] }];
  }
  if (signal.aborted) return;
  place("request").setAttribute("aria-busy", "false");
  const given = page.form.document().seed !== undefined;
  page.seeds = given ? {} : Object.fromEntries(page.plans.filter(({ seed }) => seed).map(({ model, seed }) => [model, seed]));
  page.form.note("seed", given || !page.seeds[page.model.id] ? "" : `random: ${page.seeds[page.model.id]} for the next run`);
  requests.update(page.plans);
  showProblems();
  showMoney();
}

const problems = () => [...(page.plans.find(({ model }) => model === page.model.id)?.problems ?? []), ...page.form.ownProblems()];

function showProblems(options) {
  if (!page.form) return;
  const { others: rest, missing } = page.form.show(problems(), options);
  const texts = rest.map(({ parameter, limit }) => (parameter ? `${inWords(parameter)}: ${limit}` : limit));
  const wrongElsewhere = page.plans.filter(({ model, problems: found }) => model !== page.model.id && found.length);
  texts.push(...wrongElsewhere.map(({ model, problems: found }) => `${nameOf(summary(model))} refuses: ${found.map(({ parameter, limit }) => `${parameter} ${limit}`).join("; ")}`));
  if (missing.length) texts.unshift(`Still needed: ${missing.join(", ")}.`);
  const text = texts.join(" ");
  if (still.textContent !== text) still.textContent = text;
  runButton.setAttribute("aria-disabled", String(page.running.length > 0 || problems().length > 0));
}

/** Say before the button what a run costs. */
function showMoney() {
  const lines = [page.model, ...others()].map((model) => {
    const cost = page.plans.find((one) => one.model === model.id)?.cost;
    if (model.offline) return `${nameOf(model)} runs on this machine and costs nothing.`;
    const who = model.provider ? `${nameOf(model)} (${model.provider})` : nameOf(model);
    return cost ? `This costs money: ${who}, ${cost}.` : `This may cost money: ${who}, price not known.`;
  });
  const free = [page.model, ...others()].every(({ offline }) => offline);
  money.className = free ? "money free" : "money";
  money.replaceChildren(...lines.map((text) => el("p", { text })));
}

// ---------------------------------------------------------------------- runs

async function startRun() {
  if (page.running.length) return;
  clearTimeout(timer);
  planning?.abort();
  await plan();
  if (problems().length) {
    showProblems({ all: true });
    if (!page.form.focusFirstWrong()) runButton.focus();
    return;
  }
  const task = page.form.document();
  const saved = structuredClone(page.form.save());
  const prompt = typeof task.prompt === "string" ? task.prompt : (task.prompt ?? []).map(({ $text }) => $text).join(", ");
  const able = page.plans.filter(({ problems: found }) => !found.length).map(({ model }) => summary(model));
  page.running = able.map((model) => {
    const run = new Run({
      order: order([model.id], task),
      title: nameOf(model),
      prompt,
      original: task.image ? page.form.picture() : null,
      tell,
      edit,
      chosen,
    });
    run.entry = { model: model.id, title: nameOf(model), kind: page.kind, prompt, fit: page.fit, saved, time: new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }), run };
    return run;
  });
  place("results").prepend(el("div", { class: page.running.length > 1 ? "runs side-by-side" : "runs" }, page.running.map((run) => run.element)));
  busy(true);
  tell(`Running with ${page.running.map(({ title }) => title).join(", ")}.`);
  place("results").firstChild.scrollIntoView({ block: "nearest" });
  await Promise.all(page.running.map((run) => run.start(uploadAgain)));
  for (const run of page.running) history.add(run.entry);
  page.running = [];
  page.seeds = {}; // the next run draws others
  busy(false);
  changed();
}

function busy(running) {
  runButton.textContent = running ? "Running…" : "Run";
  runButton.setAttribute("aria-disabled", String(running));
  if (!running && document.activeElement === cancelButton) runButton.focus();
  cancelButton.hidden = !running;
}

window.addEventListener("beforeunload", (event) => {
  if (page.running.length) event.preventDefault(); // the pictures are paid for
});

/** Let a screen reader say something. */
const tell = (text) => (place("status").textContent = text);

/** Start another task with a picture that was made. */
async function edit(kind, picture) {
  const added = await addPicture(picture.blob, picture.name);
  const able = [page.model.id, page.running[0]?.order.models[0], ...page.models.filter(({ offline }) => offline).map(({ id }) => id), ...page.models.map(({ id }) => id)];
  const model = able.find((id) => id && summary(id)?.tasks?.includes(kind));
  if (!model) return tell(`No installed model can ${taskLabel(kind).toLowerCase()} a picture.`);
  remember();
  page.form = null;
  page.saved.values.image = { $picture: added.sha256 };
  delete page.saved.values.mask;
  await chooseModel(model, kind);
  page.form.focus("mask") ?? page.form.focus("prompt");
  place("form").scrollIntoView({ block: "start" });
}

/** Fill in the form as it was for a run. */
async function restore({ model, kind, fit, saved }) {
  if (!summary(model) || summary(model).error) return tell("That model is not installed any more.");
  page.form = null;
  page.saved = structuredClone(saved);
  page.fit = fit;
  for (const input of fitPlace.querySelectorAll("input")) input.checked = input.value === fit;
  await chooseModel(model, kind);
  page.form.focus("prompt") ?? page.form.focus("image");
  place("form").scrollIntoView({ block: "start" });
}

start();
