// What was run in this session; on request kept in this browser, without pictures.

import { button, el, newId, taskLabel } from "./dom.js";

const STORED = "limner-playground-history";
const MOST = 50;

export class History {
  /** restore: called with an entry to fill in the form again. */
  constructor(place, restore) {
    this.restore = restore;
    this.entries = [];
    this.list = el("ol", { class: "history", reversed: true });
    this.empty = el("p", { class: "muted", text: "Nothing was run yet." });
    this.keep = el("input", { type: "checkbox", id: newId("keep"), onchange: () => this.store() });
    const clear = button("Clear history", () => this.clear(), { class: "quiet" });
    const keepRow = el("p", { class: "check" }, this.keep, el("label", { for: this.keep.id, text: "Keep in this browser, without pictures" }));
    place.append(this.empty, this.list, el("div", { class: "row between" }, keepRow, clear));
    try {
      const stored = JSON.parse(localStorage.getItem(STORED) ?? "null");
      if (Array.isArray(stored)) {
        this.keep.checked = true;
        this.entries = stored;
      }
    } catch {
      // not readable: it is only a convenience
    }
    this.show();
  }

  add(entry) {
    this.entries = [entry, ...this.entries].slice(0, MOST);
    this.store();
    this.show();
  }

  clear() {
    this.entries = [];
    this.store();
    this.show();
  }

  store() {
    try {
      if (!this.keep.checked) localStorage.removeItem(STORED);
      else localStorage.setItem(STORED, JSON.stringify(this.entries.map(withoutPictures)));
    } catch {
      this.keep.checked = false; // no storage in this browser
    }
  }

  show() {
    this.empty.hidden = this.entries.length > 0;
    this.list.replaceChildren(
      ...this.entries.map((entry) => {
        const words = entry.prompt || taskLabel(entry.kind);
        const use = button("", () => this.restore(entry), { class: "history-entry", title: "Fill in the form as it was" });
        use.append(
          entry.run?.pictures[0]?.url ? el("img", { src: entry.run.pictures[0].url, alt: "" }) : el("span", { class: "no-picture" }),
          el("span", {}, el("span", { class: "words", text: words }), el("span", { class: "muted", text: `${taskLabel(entry.kind)} · ${entry.title} · ${entry.time}` })),
        );
        return el("li", {}, use);
      }),
    );
  }
}

function withoutPictures({ run, saved, ...entry }) {
  const values = Object.entries(saved.values).filter(([, value]) => !JSON.stringify(value).includes("$picture") && !value?.pixels);
  return { ...entry, saved: { ...saved, values: Object.fromEntries(values) } };
}
