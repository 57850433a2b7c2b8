"""The words the painter knows, and how far each of them moves a picture.

Every `Word` states its effect as data. `paint("a landscape <word>", ...)` differs from `paint("a landscape", ...)` by
at least the `DIFFERENCE` of the word's kind (mean absolute difference, 0..255). Where the word has a direction, its
`Shift` says which measure of which part of the picture rises (or falls) by at least how much. The tests hold the
painter to both, as a mean over several seeds. Words that are not here are not lost: they draw the composition.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from limner_sketch.painter.colours import RGB

Kind = Literal["place", "hour", "season", "weather", "sky", "colour", "motif"]
Measure = Literal["lightness", "red", "green", "blue", "warmth"]
"""lightness: BT.601 luminance; red, green, blue: that channel minus the mean of the other two; warmth: red - blue."""

DIFFERENCE: dict[Kind, float] = {
    "place": 5.0,
    "hour": 12.0,
    "season": 6.0,
    "weather": 15.0,
    "sky": 1.0,
    "colour": 6.0,
    "motif": 2.0,
}
"""How far a word of each kind moves a picture at least: the mean absolute difference, 0..255."""

UNKNOWN_DIFFERENCE = 4.0
"""How far a word that is not in the lexicon moves a picture at least."""


@dataclass(frozen=True)
class Shift:
    """A stated effect: `measure`, averaged over `part` of the picture, moves by `least` or further that way."""

    measure: Measure
    least: float
    part: Literal["all", "upper", "lower"] = "all"


@dataclass(frozen=True)
class Word:
    """One thing the painter knows: its name, what people also call it, and what it does."""

    name: str
    kind: Kind
    others: tuple[str, ...] = ()
    shift: Shift | None = None
    colour: RGB | None = None


def _word(name: str, kind: Kind, others: str = "", shift: Shift | None = None) -> Word:
    return Word(name, kind, tuple(others.split()), shift)


def _colour(name: str, colour: RGB, others: str, shift: Shift) -> Word:
    return Word(name, "colour", tuple(others.split()), shift, colour)


LEXICON: tuple[Word, ...] = (
    _word("mountain", "place", "alp alps peak summit cliff fjord canyon highland volcano", Shift("green", -1.5, "lower")),
    _word("sea", "place", "ocean seaside wave harbour harbor bay island", Shift("blue", 40, "lower")),
    _word("beach", "place", "coast shore seashore", Shift("lightness", 35, "lower")),
    _word("lake", "place", "pond lagoon water", Shift("blue", 10, "lower")),
    _word("river", "place", "stream creek brook"),
    _word("forest", "place", "wood woodland jungle grove pine fir conifer", Shift("lightness", -12, "lower")),
    _word("desert", "place", "dune sahara", Shift("lightness", 40, "lower")),
    _word("city", "place", "town skyline street downtown skyscraper building metropolis", Shift("green", -12, "lower")),
    _word("field", "place", "farm wheat countryside vineyard", Shift("warmth", 12, "lower")),
    _word("meadow", "place", "grass pasture prairie hill valley garden park"),
    _word("night", "hour", "midnight nocturnal", Shift("lightness", -60)),
    _word("sunset", "hour", "dusk evening twilight sundown", Shift("warmth", 90, "upper")),
    _word("dawn", "hour", "sunrise morning daybreak", Shift("warmth", 45, "upper")),
    _word("winter", "season", "christmas", Shift("lightness", 25, "lower")),
    _word("spring", "season", "april may"),
    _word("summer", "season", "july august"),
    _word("autumn", "season", "fall october november", Shift("warmth", 25, "lower")),
    _word("rain", "weather", "rainy shower drizzle wet", Shift("lightness", -15, "upper")),
    _word("storm", "weather", "stormy thunder lightning thunderstorm", Shift("lightness", -30, "upper")),
    _word("fog", "weather", "foggy mist misty haze hazy", Shift("lightness", 18, "lower")),
    _word("snow", "weather", "snowy frost frozen ice icy blizzard", Shift("lightness", 20, "lower")),
    _word("cloud", "sky", "cloudy overcast"),
    _word("star", "sky", "starry galaxy constellation", Shift("lightness", -60)),
    _word("moon", "sky", "moonlight moonlit", Shift("lightness", -60)),
    _word("aurora", "sky", "borealis", Shift("lightness", -50)),
    _word("rainbow", "sky"),
    _word("planet", "sky", "saturn jupiter mars venus", Shift("lightness", -40)),
    _word("bird", "sky", "gull seagull flock eagle"),
    _word("balloon", "sky"),
    _colour("red", (206, 44, 40), "crimson scarlet ruby", Shift("red", 25)),
    _colour("orange", (240, 130, 40), "amber copper", Shift("warmth", 30)),
    _colour("yellow", (244, 206, 60), "gold golden lemon", Shift("warmth", 25)),
    _colour("green", (64, 150, 70), "emerald lush", Shift("green", 8)),
    _colour("turquoise", (40, 176, 176), "teal cyan aqua", Shift("warmth", -15)),
    _colour("blue", (48, 96, 200), "azure navy sapphire", Shift("blue", 15)),
    _colour("purple", (128, 70, 170), "violet lilac lavender magenta", Shift("green", -12)),
    _colour("pink", (240, 140, 175), "rosy", Shift("red", 12)),
    _colour("brown", (120, 80, 50), "bronze chocolate", Shift("warmth", 10)),
    _colour("white", (244, 244, 240), "ivory pale", Shift("lightness", 8)),
    _colour("grey", (140, 140, 144), "gray silver", Shift("green", -2)),
    _colour("black", (34, 34, 38), "dark ebony", Shift("lightness", -18)),
    _word("house", "motif", "cottage home cabin hut barn villa"),
    _word("door", "motif", "gate entrance doorway"),
    _word("window", "motif"),
    _word("lighthouse", "motif", "beacon"),
    _word("boat", "motif", "sailboat ship sail yacht"),
    _word("tree", "motif", "oak maple birch"),
    _word("flower", "motif", "rose tulip poppy daisy blossom bloom sunflower"),
    _word("cup", "motif", "coffee tea mug espresso cappuccino"),
    _word("fox", "motif", "vixen"),
    _word("cat", "motif", "kitten kitty tomcat"),
    _word("dog", "motif", "puppy wolf"),
    _word("deer", "motif", "stag elk doe"),
    _word("horse", "motif", "pony mare"),
    _word("camel", "motif", "dromedary"),
    _word("village", "motif", "hamlet"),
    _word("waterfall", "motif", "cascade"),
    _word("portrait", "motif", "person face woman man girl boy lady gentleman people"),
)

_BY_TERM = {term: word for word in LEXICON for term in (word.name, *word.others)}
_SILENT = frozenset(
    [
        "a",
        "an",
        "the",
        "of",
        "in",
        "at",
        "by",
        "on",
        "with",
        "and",
        "or",
        "to",
        "from",
        "over",
        "under",
        "near",
        "is",
        "some",
        "its",
        "very",
    ]
)
_PLAIN = frozenset(["landscape", "scene", "scenery", "view", "picture", "painting", "image", "photo", "photograph"])


@dataclass(frozen=True)
class Brief:
    """A prompt as the painter reads it.

    Attributes:
        known: The words of the lexicon, in the prompt's order.
        unknown: The other words, in the prompt's order.
        terms: The prompt's own term for each of `known`.
    """

    known: tuple[Word, ...]
    unknown: tuple[str, ...]
    terms: tuple[str, ...] = ()

    def has(self, *names: str) -> bool:
        """Say whether any of the lexicon's `names` is asked for."""
        return any(word.name in names for word in self.known)

    def names(self, kind: Kind) -> tuple[str, ...]:
        """Return the names of the known words of one kind, in the prompt's order."""
        return tuple(word.name for word in self.known if word.kind == kind)

    @property
    def colours(self) -> tuple[RGB, ...]:
        """Return the colours asked for, in the prompt's order."""
        return tuple(word.colour for word in self.known if word.colour is not None)


def read(prompt: str) -> Brief:
    """Read a prompt. Each word counts once; words that only join others ("a", "of") say nothing."""
    terms = dict.fromkeys(re.findall(r"\w+", prompt.casefold()))
    known: dict[Word, str] = {}
    unknown = []
    for term in terms:
        if (word := _look_up(term)) is not None:
            known.setdefault(word, term)
        elif term not in _SILENT | _PLAIN:
            unknown.append(term)
    return Brief(tuple(known), tuple(unknown), tuple(known.values()))


def without(prompt: str, unwanted: Iterable[str]) -> str:
    """Return the prompt without the words of the negative prompts, so that the painter knows nothing of them."""
    for word in re.findall(r"\w+", " ".join(unwanted)):
        prompt = re.sub(rf"\b{re.escape(word)}\b", " ", prompt, flags=re.IGNORECASE)
    return prompt


def _look_up(term: str) -> Word | None:
    """Find a term, its singular, or its stem ("mountainous", "flowering" are not worth a table)."""
    return next((_BY_TERM[form] for form in _forms(term) if form in _BY_TERM), None)


def _forms(term: str) -> tuple[str, ...]:
    forms = [term]
    if term.endswith("ies"):
        forms.append(term[:-3] + "y")
    if term.endswith("ves"):
        forms += [term[:-3] + "f", term[:-3] + "fe"]
    if term.endswith("es"):
        forms.append(term[:-2])
    if term.endswith("s"):
        forms.append(term[:-1])
    return tuple(forms)
