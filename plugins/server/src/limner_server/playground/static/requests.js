// What will be sent: the provider's request, the same in Python and on the command line, and the account.

import { button, el, newId } from "./dom.js";

const TABS = [
  { name: "request", label: "Request" },
  { name: "python", label: "Python" },
  { name: "command", label: "Command line" },
  { name: "account", label: "Account" },
];

export class Requests {
  constructor(section) {
    this.plans = [];
    this.model = null;
    this.tab = "request";
    this.panel = el("div", { role: "tabpanel", id: newId("panel"), tabindex: 0 });
    this.tabs = TABS.map(({ name, label }) => {
      const tab = button(label, () => this.choose(name), { role: "tab", id: newId("tab"), "aria-controls": this.panel.id });
      tab.dataset.name = name;
      return tab;
    });
    this.select = el("select", { "aria-label": "Model of this view", onchange: () => this.show() });
    const list = el("div", { role: "tablist", class: "tabs", "aria-label": "What will be sent" }, this.tabs);
    list.addEventListener("keydown", (event) => this.move(event));
    this.copied = el("span", { class: "muted", role: "status" });
    this.copy = button("Copy", () => this.copyText(), { class: "quiet" });
    const head = el("div", { class: "row head" }, section.querySelector("h2"), this.select, this.copied, this.copy);
    section.append(head, list, this.panel);
    this.choose("request");
  }

  move(event) {
    const at = TABS.findIndex(({ name }) => name === this.tab);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: TABS.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const { name } = TABS[(to + TABS.length) % TABS.length];
    this.choose(name);
    this.tabs.find((tab) => tab.dataset.name === name).focus();
  }

  choose(name) {
    this.tab = name;
    for (const tab of this.tabs) {
      const chosen = tab.dataset.name === name;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
      if (chosen) this.panel.setAttribute("aria-labelledby", tab.id);
    }
    this.show();
  }

  /** Show what a plan says; several where several models are chosen. */
  update(plans) {
    const chosen = this.select.value;
    this.plans = plans;
    this.select.replaceChildren(...plans.map(({ model }) => el("option", { value: model, text: model })));
    if (plans.some(({ model }) => model === chosen)) this.select.value = chosen;
    this.select.hidden = plans.length < 2;
    this.show();
  }

  show() {
    const plan = this.plans.find(({ model }) => model === this.select.value) ?? this.plans[0];
    this.text = "";
    this.copied.textContent = "";
    const content = plan ? this.content(plan) : el("p", { class: "muted", text: "Fill in the form to see it." });
    this.panel.replaceChildren(content);
    this.copy.hidden = !this.text;
  }

  content(plan) {
    if (!plan.requests) return problemList(plan.problems);
    if (this.tab === "account") return accountTable(plan.account, plan.warnings);
    if (this.tab === "request") {
      this.text = inJson(plan.requests.length === 1 ? plan.requests[0] : plan.requests);
    } else this.text = plan[this.tab] ?? "";
    if (!this.text) return el("p", { class: "muted", text: "The command line has no words for this task; use Python." });
    return el("pre", { class: "code" }, el("code", { text: this.text }));
  }

  async copyText() {
    await navigator.clipboard.writeText(this.text);
    this.copied.textContent = "Copied";
  }
}

/** Write JSON as people do: short lists of numbers on one line. */
const inJson = (value) =>
  JSON.stringify(value, null, 2).replace(/\[\s+(-?[\d.]+(?:,\s+-?[\d.]+){1,3})\s+\]/g, (_, items) => `[${items.replace(/\s+/g, " ")}]`);

/** A list of what is wrong. */
export function problemList(problems) {
  return el(
    "ul",
    { class: "problems" },
    problems.map(({ parameter, limit }) => el("li", {}, parameter && el("strong", { text: `${parameter}: ` }), limit)),
  );
}

/** What became of every input. */
export function accountTable(account, warnings = []) {
  const head = ["Parameter", "Outcome", "Value", "Why"].map((text) => el("th", { scope: "col", text }));
  const rows = account.map(({ parameter, outcome, asked, used, why }) => {
    const value = outcome === "adjusted" && asked !== used ? `${asked} → ${used}` : (used ?? asked ?? "");
    return el(
      "tr",
      {},
      el("th", { scope: "row", text: parameter }),
      el("td", {}, el("span", { class: `outcome ${outcome}`, text: outcome })),
      el("td", { text: value }),
      el("td", { text: why }),
    );
  });
  return el(
    "div",
    {},
    warnings.map((text) => el("p", { class: "notice warning", text })),
    el("div", { class: "scroll" }, el("table", {}, el("thead", {}, el("tr", {}, head)), el("tbody", {}, rows))),
  );
}
