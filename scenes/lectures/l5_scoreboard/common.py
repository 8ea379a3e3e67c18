"""What the scenes of lecture 5 share."""

from __future__ import annotations

from collections.abc import Callable

from manim import Circle, VGroup

from explainers.quantities import Quantity
from scenes.kit import Waffle, role, tint

#: Labs, from the top line down, and their colours; the same in every picture of this lecture.
LABS = {"OpenAI": "query", "Anthropic": "value", "Google": "shared_expert", "DeepSeek": "latent"}
#: The three measurements of one model: words, number, whether its maker measured.
SCORES = (
    ("DeepSeek, its maker", "vendor", True),
    ("a list of independent runs", "aggregator", False),
    ("an American institute", "caisi", False),
)


def mark(colour: str, vendor: bool, radius: float = 0.15) -> Circle:
    """A ring where the maker measured, a full dot where somebody else did."""
    ring = Circle(radius, stroke_width=4.5, color=role(colour))
    return ring.set_fill(role("ground" if vendor else colour), 1)


class TestField(VGroup):
    """All questions of a test as dark squares, those solved lit; paler what only the list of independent runs has too,
    and in the maker's colour what only the maker counts."""

    def __init__(
        self, number: Callable[[str], Quantity], claimed: str = "run.exams.swe_vendor_solved", cell: float = 0.21
    ) -> None:
        whole, one = number("fact.benchmarks.test_sizes.swe_bench_verified"), number("run.exams.one_question")
        self.dark = Waffle(whole, one, columns=25, cell=cell, role="hairline")
        self.claimed = Waffle(number(claimed), one, columns=25, cell=cell, role="latent")
        self.listed = Waffle(number("run.exams.swe_aggregator_solved"), one, columns=25, cell=cell, role="reward")
        self.listed.squares.set_fill(tint("reward", 0.65), 1)
        self.lit = Waffle(number(claimed), one, columns=25, cell=cell, role="reward")
        super().__init__(self.dark, self.claimed, self.listed, self.lit)
