// Runs and their pictures, newest first.

import { run } from "./api.js";
import { compare } from "./compare.js";
import { button, el, fromBase64, inWords, taskLabel } from "./dom.js";
import { accountTable, problemList } from "./requests.js";

const SUFFIXES = { "image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/gif": "gif" };

/** One run of one model, from its start to its pictures. */
export class Run {
  /** order: what is sent; tell: called with what a screen reader should say; edit(kind, picture): starts another task with a picture. */
  constructor({ order, title, prompt, original, tell, edit, chosen }) {
    this.order = order;
    this.title = title;
    this.kind = order.task.task;
    this.tell = tell;
    this.edit = edit;
    this.chosen = chosen;
    this.pictures = [];
    this.abort = new AbortController();
    this.state = "running";
    this.bar = el("progress", { "aria-label": `Progress of ${title}` });
    this.said = el("span", { class: "muted" });
    this.cancelButton = button("Cancel", () => this.cancel(), { "aria-label": `Cancel ${title}` });
    this.progress = el("div", { class: "progress" }, this.bar, this.said, this.cancelButton);
    this.preview = el("img", { class: "preview", alt: "Unfinished picture", hidden: true });
    this.facts = el("span", { class: "muted" });
    this.grid = el("ul", { class: "grid" });
    this.end = el("div");
    this.element = el(
      "article",
      { class: "run", "aria-label": `${taskLabel(this.kind)} with ${title}` },
      el("header", {}, el("h3", { text: `${taskLabel(this.kind)} · ${title}` }), this.facts),
      prompt ? el("p", { class: "prompt", text: prompt }) : null,
      this.progress,
      this.preview,
      this.grid,
      this.end,
    );
    if (original) this.original = { url: original.url, label: "original", blob: original.blob, name: original.name };
  }

  async start(uploadAgain) {
    this.started = performance.now();
    const clock = setInterval(() => this.showTime(), 500);
    this.showTime();
    try {
      await this.send(uploadAgain);
      if (this.state === "running") this.fail({ message: "The server ended the run without a result.", problems: [] });
    } catch (error) {
      if (error.name === "AbortError") this.cancelled();
      else this.fail({ message: error.message, problems: [] });
    } finally {
      clearInterval(clock);
      this.progress.remove();
      this.preview.remove();
    }
  }

  async send(uploadAgain) {
    const receive = (event) => this.receive(event);
    try {
      await run(this.order, this.abort.signal, receive);
    } catch (error) {
      if (error.code !== "picture_missing") throw error;
      await uploadAgain(this.order.task);
      await run(this.order, this.abort.signal, receive);
    }
  }

  cancel() {
    this.abort.abort();
  }

  receive(event) {
    switch (event.event) {
      case "progress":
        return this.showProgress(event);
      case "picture":
        return this.add(event);
      case "result":
        return this.finish(event);
      case "error":
        return this.fail(event);
    }
  }

  showTime() {
    const seconds = Math.round((performance.now() - this.started) / 1000);
    this.said.textContent = [this.step || "Running", `${seconds} s`].join(" · ");
  }

  showProgress({ done, calls, step, of, message, preview }) {
    if (calls === undefined) return; // a sign of life
    const part = step !== null && of ? step / of : 0;
    if (calls > 1 || part) {
      this.bar.max = calls;
      this.bar.value = Math.min(calls, done + part);
    }
    this.step = message || (calls > 1 ? `${done} of ${calls} calls` : part ? `${Math.round(part * 100)}%` : "");
    this.showTime();
    if (preview) {
      this.preview.src = URL.createObjectURL(new Blob([fromBase64(preview.file)], { type: preview.media_type }));
      this.preview.hidden = false;
    }
  }

  add(event) {
    const number = this.pictures.length + 1;
    const seed = event.seed === null ? "" : `seed ${event.seed}`;
    const facts = [seed, event.of > 1 ? event.place : ""].filter(Boolean).join(", ");
    const picture = { ...event, label: facts || `picture ${number}` };
    this.pictures.push(picture);
    if (!event.file) {
      const why = `${inWords(event.outcome)}: ${event.reason || "the provider gave no reason"}`;
      this.grid.append(el("li", { class: "card" }, el("p", { class: "held-back", text: why }), el("p", { class: "muted", text: facts })));
      return;
    }
    const blob = new Blob([fromBase64(event.file)], { type: event.media_type });
    const name = `${[this.kind, event.seed, event.of > 1 || number > 1 ? number : null].filter((part) => part !== null).join("-")}`;
    Object.assign(picture, { blob, url: URL.createObjectURL(blob), name: `${name}.${SUFFIXES[event.media_type] ?? "bin"}`, file: null });
    this.grid.append(this.card(picture, number, facts));
  }

  card(picture, number, facts) {
    const [width, height] = picture.size;
    const which = `picture ${number} of ${this.title}`;
    const named = (text, act) => button(text, act, { "aria-label": `${text}: ${which}` });
    const choose = button("Compare", () => this.chosen.toggle(picture, choose), { "aria-pressed": "false", "aria-label": `Compare: ${which}` });
    const download = el("a", { class: "button", href: picture.url, download: picture.name, text: "Download", "aria-label": `Download: ${which}` });
    return el(
      "li",
      { class: "card" },
      el("a", { href: picture.url, target: "_blank", rel: "noopener", "aria-label": `Open: ${which}` }, el("img", { src: picture.url, alt: `Result, ${picture.label}`, width, height })),
      el("p", { class: "muted" }, facts ? `${facts}, ` : "", `${width} × ${height}`, picture.outcome === "ok" ? "" : ` (${picture.outcome})`),
      el(
        "div",
        { class: "row actions" },
        named("Edit", () => this.edit("inpaint", picture)),
        named("Vary", () => this.edit("vary", picture)),
        download,
        choose,
        this.original && named("With original", () => compare(this.original, picture)),
      ),
    );
  }

  finish({ seconds, account, warnings, usage }) {
    this.state = "done";
    const used = Object.entries(usage).map(([name, value]) => `${inWords(name).toLowerCase()} ${value}`);
    this.facts.textContent = [`${seconds.toFixed(1)} s`, ...used].join(" · ");
    this.end.append(el("details", {}, el("summary", { text: "Account: what became of every input" }), accountTable(account, warnings)));
    const count = this.pictures.filter(({ url }) => url).length;
    this.tell(`${this.title}: ${count} ${count === 1 ? "picture is" : "pictures are"} ready.`);
  }

  fail({ message, problems }) {
    this.state = "failed";
    const what = problems.length ? problemList(problems) : el("p", { text: message });
    this.end.append(el("div", { class: "notice error-box", role: "alert" }, el("strong", { text: `${this.title} failed. ` }), what));
  }

  cancelled() {
    this.state = "cancelled";
    this.end.append(el("p", { class: "notice warning", text: "Cancelled. What was sent already may still be billed." }));
    this.tell(`${this.title}: cancelled.`);
  }
}

/** The pictures chosen to be compared; the second one starts it. */
export class Chosen {
  constructor() {
    this.first = null;
  }

  toggle(picture, control) {
    if (this.first === null) {
      this.first = { picture, control };
      mark(control, "true", "Compare with…");
      return;
    }
    const { picture: first, control: other } = this.first;
    this.first = null;
    mark(other, "false", "Compare");
    if (first !== picture) compare(first, picture);
  }
}

function mark(control, pressed, text) {
  control.setAttribute("aria-pressed", pressed);
  control.setAttribute("aria-label", control.getAttribute("aria-label").replace(control.textContent, text));
  control.textContent = text;
}
