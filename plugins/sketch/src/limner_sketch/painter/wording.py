"""Which words of a prompt an edit or a picture shows. Pure, and without Pillow, so that a plan can say it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from limner_sketch.painter.lexicon import Word, read, without

MOST_THINGS = 3
"""How many things one picture shows at most; an edit shows one."""

_LIGHT = frozenset(("hour", "season", "weather", "colour"))
"""Kinds that set the light and the colours of whatever is painted."""


class Wording(NamedTuple):
    """The words of a prompt by what becomes of them, in the prompt's own terms and order."""

    painted: tuple[str, ...]
    not_painted: tuple[str, ...]
    unknown: tuple[str, ...]

    def __str__(self) -> str:
        labels = ("painted", "known but not painted here", "not known")
        return "; ".join(f"{label}: {', '.join(words)}" for label, words in zip(labels, self, strict=True) if words)


def wording(task: str, prompt: str, unwanted: Iterable[str] = ()) -> Wording:
    """Sort the words of a prompt by what becomes of them.

    Args:
        task: `generate`, `vary`, `inpaint` or `outpaint`.
        prompt: The prompt.
        unwanted: The negative prompts; their words are taken out of the prompt first.
    """
    brief = read(without(prompt, unwanted))
    things = [word for word in brief.known if word.kind == "motif"]
    shown = set(things[: 1 if task in ("inpaint", "outpaint") else MOST_THINGS])

    def is_painted(word: Word) -> bool:
        if word.kind == "motif":
            return word in shown
        if task in ("generate", "vary") or word.kind in _LIGHT:
            return True
        return word.kind == "place" and (task == "outpaint" or not things)

    by_word = list(zip(brief.known, brief.terms, strict=True))
    painted = tuple(term for word, term in by_word if is_painted(word))
    return Wording(painted, tuple(term for word, term in by_word if not is_painted(word)), brief.unknown)
