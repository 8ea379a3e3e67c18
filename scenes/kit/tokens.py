"""Tokens: rounded chips with their text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Self

from manim import DOWN, LEFT, RIGHT, RoundedRectangle, VGroup

from explainers.errors import ExplainError
from explainers.quantities import computed
from explainers.traces import NamedArray
from scenes.kit import fonts, theme
from scenes.kit.binding import Bound, DataBound
from scenes.kit.numbers import NumberLabel
from scenes.kit.text import Label

_VISIBLE = {" ": "·", "\n": "↵", "\t": "⇥"}
_PADDING = 0.16
_HEIGHT = 0.52


def visible(token: str) -> str:
    """A token's text with its white space shown: ``" the"`` → ``"·the"``."""
    return "".join(_VISIBLE.get(character, character) for character in token) or "∅"


class TokenChip(VGroup):
    """A token: a rounded chip with its text; white space is shown.

    >>> TokenChip(" cat", role="token")
    """

    def __init__(self, token: str, role: str = "token", size: str | float = "small") -> None:
        if not isinstance(token, str):
            raise ExplainError(f"TokenChip was given a {type(token).__name__}; pass the token's text")
        self.token = token
        self.text = Label(visible(token), size, role, font=fonts.MONO)
        self.text.text_kind = "token"
        unit = theme.cap_units(size) / theme.cap_units("small")
        width = max(self.text.width + 2 * _PADDING * unit, _HEIGHT * unit)
        self.box = RoundedRectangle(
            width=width,
            height=_HEIGHT * unit,
            corner_radius=0.14 * unit,
            fill_color=theme.tint(role, 0.14),
            fill_opacity=1,
            stroke_color=theme.tint(role, 0.6),
            stroke_width=1.8,
        )
        super().__init__(self.box, self.text)

    @property
    def shown_text(self) -> str:
        """The text in the chip."""
        return self.text.shown_text


class TokenRow(DataBound, VGroup):
    """A row of token chips. A long one wraps, then leaves out the rest and says how many.

    >>> TokenRow(trace["latent"])                      # labels of the axis "token"
    >>> TokenRow(("The", " cat", " sat"), role="token", width=10, rows=2)

    ``row.chips[3]`` is the chip of token 3; ``row.hidden`` counts what is left out (always at the end).
    """

    def __init__(
        self,
        tokens: NamedArray | Sequence[str],
        role: str = "token",
        *,
        size: str | float = "small",
        width: float = theme.SAFE_WIDTH,
        rows: int = 1,
        gap: float = 0.09,
    ) -> None:
        super().__init__()
        texts = _texts(tokens)
        self.bound = Bound((tokens,) if isinstance(tokens, NamedArray) else ())
        self.chips: list[TokenChip] = []
        lines: list[VGroup] = [VGroup()]
        note_room = 1.3
        for index, text in enumerate(texts):
            chip = TokenChip(text, role, size)
            used = sum(each.width + gap for each in lines[-1])
            last_row = len(lines) == rows
            room = width - (note_room if last_row and index < len(texts) - 1 else 0)
            if len(lines[-1]) and used + chip.width > room:
                if last_row:
                    break
                lines.append(VGroup())
            lines[-1].add(chip)
            self.chips.append(chip)
        self.hidden = len(texts) - len(self.chips)
        if self.hidden:
            formula = f"{len(texts)} tokens − {len(self.chips)} shown"
            rest = computed(self.hidden, "token", formula)
            lines[-1].add(NumberLabel(rest, "plain bare", before="… +", size=size, role="muted"))
        for line in lines:
            line.arrange(RIGHT, buff=gap)
        self.add(*VGroup(*lines).arrange(DOWN, buff=gap * 1.6, aligned_edge=LEFT).center())

    def perturbed(self) -> Self:
        """The same row for other tokens: each one doubled."""
        (array,) = self.bound
        labels = dict(array.labels, token=tuple(token * 2 for token in array.labels["token"]))
        return self.rebind(replace(array, labels=labels))


def _texts(tokens: object) -> tuple[str, ...]:
    if isinstance(tokens, NamedArray):
        if "token" not in tokens.labels:
            raise ExplainError(f"{tokens.name or 'the array'} has no labels for the axis 'token'")
        return tokens.labels["token"]
    if isinstance(tokens, str) or not isinstance(tokens, Sequence) or not all(isinstance(t, str) for t in tokens):
        raise ExplainError("TokenRow needs the tokens' texts (a sequence of str) or an array with labels for 'token'")
    if not tokens:
        raise ExplainError("TokenRow was given no tokens; pass at least one")
    return tuple(tokens)
