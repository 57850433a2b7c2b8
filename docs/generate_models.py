"""Write docs/models.md from the limits that the first-party plugins declare: ``python docs/generate_models.py``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import limner
from limner.limits import Constraint, Seed
from limner.tasks import TASKS

DOCS = Path(__file__).parent
PAGE = DOCS / "models.md"

INTRODUCTION = """\
<!-- Written by docs/generate_models.py from the plugins' limits; change those, and run it again. -->

# Models

Every model of the plugins in this tree, and what it accepts for each task. `limner show MODEL` prints the same for an
installed model of any plugin.

*needed* must be said, *drawn* is a random seed that the result tells; where the default is empty, nothing is sent.
A parameter that a model's table does not have is refused, or with `fit="nearest"` dropped. `preserve` is limner's own and
goes with every `inpaint` and `outpaint`. The numbers in a row are those of its sources, below the table.
"""


def page() -> str:
    """The whole page."""
    found = first_party_models()
    parts = [INTRODUCTION, overview(found)]
    for plugin in dict.fromkeys(model.plugin for model in found):
        parts.append(f"## limner-{plugin}\n")
        parts += [section(model) for model in found if model.plugin == plugin]
    return "\n".join(parts)


def first_party_models() -> list[type[limner.Model]]:
    """The models of the plugins in this tree, plugin by plugin; all must be installed."""
    projects = [tomllib.loads(path.read_text("utf-8"))["project"] for path in DOCS.parent.glob("plugins/*/pyproject.toml")]
    plugins = {name for project in projects for name in project.get("entry-points", {}).get("limner", {})}
    offering = {model.plugin for model in limner.models()}
    silent = plugins - offering - {"bedrock-emulator", "opentelemetry"}
    if silent:
        raise SystemExit(f"not installed, or broken: {', '.join(sorted(silent))}; see 'limner plugins'")
    found = (model for model in limner.models() if model.plugin in plugins)
    return sorted(found, key=lambda model: (model.plugin, model.id))


def overview(found: Sequence[type[limner.Model]]) -> str:
    """A line for each model."""
    rows = []
    for model in found:
        link = f"[{model.id}](#{label(model)})" + (f", {names(model.aliases)}" if model.aliases else "")
        rows.append((link, ", ".join(tasks_of(model)), model.lifecycle.end_of_life or ""))
    return table(("model, aliases", "tasks", "end of life"), rows)


def section(model: type[limner.Model]) -> str:
    """One model: its life, its parameters and options, their sources."""
    sources: dict[str, int] = {}
    facts = [f"Tasks: {', '.join(tasks_of(model))}."]
    facts += [f"Aliases: {names(model.aliases)}."] if model.aliases else []
    facts += [lifetime(model)]
    tables = limit_table(model, "parameters", sources)
    if any(limits.options for limits in model.limits.values()):
        tables += f"\nOptions:\n\n{limit_table(model, 'options', sources)}"
    notes = "".join(f"{number}. {linked(escaped(source))}\n" for source, number in sources.items())
    return f"({label(model)})=\n### {model.id}\n\n{' '.join(facts).strip()}\n\n{tables}\n{notes}"


def limit_table(model: type[limner.Model], which: Literal["parameters", "options"], sources: dict[str, int]) -> str:
    """A row for each name and limit; tasks with the same limit share one. Sources are numbered as they come."""
    shared: dict[tuple[str, str, str], dict[str, str]] = {}
    for task in tasks_of(model):
        for name, limit in getattr(model.limits[TASKS[task]], which).items():
            shared.setdefault((name, limit.describe(), default(limit)), {})[task] = limit.source
        if which == "parameters" and (source := model.limits[TASKS[task]].own_size):
            shared.setdefault(("size", "the picture's own, which is not sent", ""), {})[task] = source
    order = list(dict.fromkeys(name for name, *_ in shared))
    rows: list[tuple[str, ...]] = []
    for (name, limit_said, default_said), cited in sorted(shared.items(), key=lambda row: order.index(row[0][0])):
        every = "all" if len(cited) == len(model.limits) else ", ".join(cited)
        numbers = dict.fromkeys(sources.setdefault(source, len(sources) + 1) for source in cited.values())
        rows.append((f"`{name}`", escaped(limit_said), default_said, every, ", ".join(map(str, numbers))))
    columns = [which.removesuffix("s"), "limit", "default", "tasks", "source"]
    if len(model.limits) == 1:
        columns.remove("tasks")
        rows = [(*row[:3], row[4]) for row in rows]
    return table(columns, rows)


def default(limit: Constraint) -> str:
    """What is sent when nothing is said."""
    match limit.default:
        case None:
            return "*needed*" if limit.required else "*drawn*" if isinstance(limit, Seed) else ""
        case bool():
            return str(limit.default).lower()
        case (int(width), int(height)):
            return f"{width}x{height}"
    return escaped(str(limit.default))


def lifetime(model: type[limner.Model]) -> str:
    """The life cycle in words, without a word that today's date decides."""
    life = model.lifecycle
    said = [f"legacy since {life.legacy_since}"] if life.legacy_since else []
    said += [f"end of life {life.end_of_life}"] if life.end_of_life else []
    said += [f"replaced by {life.replacement}"] if life.replacement else []
    if not said:
        return ""
    words = "; ".join(said)
    return f"{words[0].upper()}{words[1:]}" + (f" ({linked(escaped(life.source))})." if life.source else ".")


def tasks_of(model: type[limner.Model]) -> list[str]:
    """The names of a model's tasks, in the order of the tasks."""
    return [name for name, task in TASKS.items() if task in model.limits]


def label(model: type[limner.Model]) -> str:
    """What links to a model's section."""
    return "model-" + re.sub(r"[^a-z0-9]+", "-", model.id.lower())


def names(aliases: Iterable[str]) -> str:
    """Aliases as code."""
    return ", ".join(f"`{alias}`" for alias in aliases)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table of Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def escaped(text: str) -> str:
    """A text that Markdown leaves as it is."""
    return re.sub(r"[\\`*|<>\[\]~]|(?<!\w)_|_(?!\w)", r"\\\g<0>", text)


def linked(text: str) -> str:
    """Pages of AWS's documentation as links, by their names."""
    return re.sub(r"docs\.aws\.amazon\.com/(?:[\w-]+/)*([\w-]+)\.html", r"[\1](https://\g<0>)", text)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
