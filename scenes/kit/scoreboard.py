"""The scoreboard: several tests, several generations, the same labs in the same places; small pictures, one scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from manim import DOWN, LEFT, RIGHT, UP, Circle, Create, FadeIn, LaggedStart, Line, VGroup
from numpy.typing import NDArray

from explainers.errors import ExplainError, one_of
from explainers.quantities import Quantity
from scenes.kit import theme
from scenes.kit.axes import Axes2D, Axis
from scenes.kit.binding import Bound, DataBound, as_quantity
from scenes.kit.numbers import NumberLabel
from scenes.kit.text import Label


@dataclass(frozen=True, eq=False)
class Panel:
    """One small picture: a test (row) of a generation (column), with each lab's score there.

    ``name`` is written in the panel where the test differs from its row's name (another year of a contest).
    ``independent`` holds what somebody else than the maker measured, for the same labs.
    """

    row: str
    column: str
    values: Mapping[str, Quantity]
    independent: Mapping[str, Quantity] = field(default_factory=dict)
    name: str = ""
    data_fields: ClassVar[tuple[str, ...]] = ("values", "independent")


class Scoreboard(DataBound, VGroup):
    """Small multiples: rows are tests, columns generations; in each panel a line a lab, its score a dot on one scale.

    >>> board = Scoreboard([Panel("knowledge", "V3", {"OpenAI": gpt, "DeepSeek": v3})], {"OpenAI": "query", …})
    >>> self.play(FadeIn(board.frame));  self.play(board.enter("V3"))

    A dot is hollow where the maker of the table measured, full where somebody else did. A lab keeps its line and its
    colour in every panel; where it is not in the table, its line is empty.

    Parameters
    ----------
    panels
        In any order; rows and columns come in the order in which they are first met.
    labs
        Lab → role, from the top line down; every score belongs to one of them.
    heads
        Column → words above it; by default its key.
    numbered
        The lab whose scores are also written, at the right of each panel.
    """

    def __init__(
        self,
        panels: Sequence[Panel],
        labs: Mapping[str, str],
        *,
        heads: Mapping[str, str] | None = None,
        width: float = 2.6,
        pitch: float = 0.24,
        gap: tuple[float, float] = (0.32, 0.42),
        low: float = 0.0,
        high: float = 100.0,
        radius: float = 0.085,
        size: str | float = "small",
        numbered: str = "",
        fmt: str = "plain .1 bare",
    ) -> None:
        super().__init__()
        self.panels = {(panel.row, panel.column): panel for panel in panels}
        if not panels or len(self.panels) != len(panels):
            raise ExplainError("a scoreboard needs at least one Panel, each with its own row and column")
        every = [value for panel in panels for group in (panel.values, panel.independent) for value in group.values()]
        if len({as_quantity(value, "Scoreboard").unit for value in every}) != 1:
            raise ExplainError("the scores of a scoreboard share one unit; make a second board for another one")
        self.bound = Bound.of(every)
        self.rows = list(dict.fromkeys(panel.row for panel in panels))
        self.columns = list(dict.fromkeys(panel.column for panel in panels))
        self.labs = dict(labs)
        self.axis = Axis(low, high, unit=every[0].unit, ticks=(low, high))
        self._width, self._pitch, self._gap, self._radius = width, pitch, gap, radius
        self.dots: dict[tuple[str, str, str], Circle] = {}
        self.stems: dict[tuple[str, str, str], Line] = {}
        self.others: dict[tuple[str, str, str], Circle] = {}
        self.numbers: dict[tuple[str, str, str], NumberLabel] = {}
        self.crowns: dict[tuple[str, str], Circle] = {}
        self.grounds: dict[tuple[str, str], VGroup] = {}
        self._numbered, self._fmt = numbered, fmt
        self.heads: dict[str, VGroup] = {}
        self.row_names, self.lab_names = VGroup(), VGroup()
        for panel in panels:
            self._panel(panel)
        self._names(heads or {}, size)
        self.frame = VGroup(self.row_names, self.lab_names)
        drawn = (self.grounds, self.stems, self.dots, self.others, self.numbers, self.crowns)
        parts = [part for group in drawn for part in group.values()]
        self.add(self.frame, *self.heads.values(), *parts)
        self.center()

    # ------------------------------------------------------------------ places
    @property
    def panel_height(self) -> float:
        """Height of the lines of one panel."""
        return self._pitch * len(self.labs)

    def _corner(self, row: str, column: str) -> NDArray[np.float64]:
        """Upper left corner of a panel while the board is built."""
        across = self.columns.index(column) * (self._width + self._gap[0])
        down = self.rows.index(row) * (self.panel_height + self._gap[1])
        return np.array([across, -down, 0.0])

    def _level(self, lab: str, where: str) -> float:
        if lab not in self.labs:
            raise one_of(f"lab of {where}", lab, list(self.labs))
        return -(list(self.labs).index(lab) + 0.5) * self._pitch

    def _at(self, panel: Panel, lab: str, value: float) -> NDArray[np.float64]:
        share = float(self.axis.share(value))
        if not -1e-9 <= share <= 1 + 1e-9:
            raise ExplainError(
                f"{panel.row}, {panel.column}, {lab}: {value:g} leaves {self.axis.low:g} … {self.axis.high:g}"
            )
        return self._corner(panel.row, panel.column) + np.array(
            [share * self._width, self._level(lab, f"{panel.row}, {panel.column}"), 0]
        )

    # ------------------------------------------------------------------ parts
    def _panel(self, panel: Panel) -> None:
        corner = self._corner(panel.row, panel.column)
        ground = VGroup()
        if panel.row == self.rows[-1]:
            ground.add(self._axis_below(corner))
        for place in (self.axis.low, (self.axis.low + self.axis.high) / 2, self.axis.high):
            x = float(self.axis.share(place)) * self._width
            top = corner + x * RIGHT
            rule = Line(top, top + self.panel_height * DOWN, stroke_width=1.3)
            ground.add(rule.set_stroke(theme.role("hairline")))
        if panel.name:
            words = Label(panel.name, 18, "muted")
            ground.add(words.next_to(corner, UP, buff=0.03).align_to(corner, LEFT))
        self.grounds[panel.row, panel.column] = ground
        for lab, value in panel.values.items():
            role = self.labs.get(lab, "muted")
            start, end = self._at(panel, lab, self.axis.low), self._at(panel, lab, float(value))
            stem = Line(start, end, stroke_width=3).set_stroke(theme.tint(role, 0.8))
            dot = Circle(self._radius, stroke_width=3.5, color=theme.role(role)).set_fill(theme.role("ground"), 1)
            self.stems[panel.row, panel.column, lab] = stem
            self.dots[panel.row, panel.column, lab] = dot.move_to(end)
            if lab == self.leader(panel.row, panel.column):
                crown = Circle(self._radius * 1.75, stroke_width=3, color=theme.role("accent"))
                self.crowns[panel.row, panel.column] = crown.move_to(end)
            if lab == self._numbered:
                number = NumberLabel(value, self._fmt, size=18, role=role)
                at = self._at(panel, lab, self.axis.high)
                self.numbers[panel.row, panel.column, lab] = number.next_to(at, RIGHT, buff=0.1)
        for lab, value in panel.independent.items():
            other = Circle(self._radius * 0.85, stroke_width=0).set_fill(theme.role(self.labs.get(lab, "muted")), 1)
            self.others[panel.row, panel.column, lab] = other.move_to(self._at(panel, lab, float(value)))

    def _axis_below(self, corner: NDArray[np.float64]) -> Axes2D:
        """The ticks of a column, under its lowest panel."""
        axes = Axes2D(self.axis, Axis(0, 1), width=self._width, height=self.panel_height, y_ticks=False)
        return axes.shift(corner + self.panel_height * DOWN - axes.point_at(0, 0))

    def _names(self, heads: Mapping[str, str], size: str | float) -> None:
        for row in self.rows:
            corner = self._corner(row, self.columns[0])
            labs = VGroup()
            for lab, role in self.labs.items():
                at = corner + np.array([-0.16, self._level(lab, row), 0])
                labs.add(Label(lab, 18, role).move_to(at, aligned_edge=RIGHT))
            self.lab_names.add(labs)
            name = Label(row, size, "text", weight="medium", align="right")
            self.row_names.add(name.next_to(labs, UP, buff=0.08).align_to(labs, RIGHT))
        for column in self.columns:
            corner = self._corner(self.rows[0], column)
            head = Label(heads.get(column, column), size, "text", align="left")
            head.next_to(corner + self._gap[1] * 0.8 * UP, UP, buff=0.05)
            self.heads[column] = VGroup(head.align_to(corner, LEFT))

    # ------------------------------------------------------------------ for scenes
    def _keys(self, parts: Mapping[tuple[str, str, str], Any], column: str) -> list[tuple[str, str, str]]:
        if column not in self.columns:
            raise one_of("column of the scoreboard", column, self.columns)
        return [key for key in parts if key[1] == column]

    def enter(self, column: str, run_time: float = 1.8) -> LaggedStart:
        """The animation in which a generation arrives: its head and panels, then its scores from zero on."""
        keys = self._keys(self.dots, column)
        quiet = [ground for (_, name), ground in self.grounds.items() if name == column]
        first = [FadeIn(VGroup(self.heads[column], *quiet))]
        stems = [Create(self.stems[key]) for key in keys]
        dots = [
            FadeIn(VGroup(self.dots[key], *([self.numbers[key]] if key in self.numbers else [])), shift=0.25 * RIGHT)
            for key in keys
        ]
        pairs = [move for pair in zip(stems, dots, strict=True) for move in pair]
        return LaggedStart(*first, *pairs, lag_ratio=0.12, run_time=run_time)

    def measured_by_others(self, column: str, run_time: float = 1.2) -> LaggedStart:
        """The animation in which the independent scores of a generation arrive."""
        keys = self._keys(self.others, column)
        if not keys:
            raise ExplainError(f"nobody else measured {column}; add `independent` to one of its panels")
        return LaggedStart(*(FadeIn(self.others[key], scale=2.0) for key in keys), lag_ratio=0.4, run_time=run_time)

    def crown(self, column: str, run_time: float = 1.0) -> LaggedStart:
        """The animation in which the highest score of each panel of a generation is ringed."""
        rings = [crown for (_, name), crown in self.crowns.items() if name == column]
        if not rings:
            raise one_of("column of the scoreboard", column, self.columns)
        return LaggedStart(*(Create(ring) for ring in rings), lag_ratio=0.35, run_time=run_time)

    def leader(self, row: str, column: str) -> str:
        """The lab with the highest score in a panel, as the table has it."""
        if (row, column) not in self.panels:
            raise one_of("panel", f"{row}, {column}", [f"{r}, {c}" for r, c in self.panels])
        values = self.panels[row, column].values
        return max(values, key=lambda lab: float(values[lab]))
