"""The map of the course: three levers, each a small picture drawn from its numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Self

import numpy as np
from manim import (
    DOWN,
    RIGHT,
    UP,
    AnimationGroup,
    LaggedStart,
    Line,
    Rectangle,
    RoundedRectangle,
    Square,
    VGroup,
    smooth,
    squish_rate_func,
)

from explainers.errors import ExplainError, one_of
from explainers.quantities import Quantity
from explainers.traces import NamedArray, Trace
from scenes.kit import theme
from scenes.kit.binding import Bound, DataBound, Datum, as_array, as_quantity, perturb
from scenes.kit.numbers import NumberLabel
from scenes.kit.text import Label

#: Where the numbers of the map come from: V3's experts, V3's cache against plain attention, R1-Zero (first paper).
REFERENCES = {
    "moe": ("v3.experts_per_token", "v3.routed_experts"),
    "mla": ("v3.kv_values_per_layer", "v3.kv_values_per_layer_mha"),
    "rl": ("fact.benchmarks.r1_zero_aime.start_pass1", "fact.benchmarks.r1_zero_aime.end_pass1_v1_paper"),
}

#: The run whose gate says which experts light up: V3's size and rules on a real sentence, untrained.
ROUTES = "untrained_gate"


def standing(
    number: Callable[[str], Quantity], run: Callable[[str], Trace]
) -> tuple[tuple[Quantity, Quantity, NamedArray], tuple[Quantity, Quantity], tuple[Quantity, Quantity]]:
    """What the three panels are drawn from, in the course's standing numbers."""
    moe, mla, rl = ((number(one), number(two)) for one, two in REFERENCES.values())
    return (*moe, run(ROUTES)["chosen"]), mla, rl


class LeverPanel(DataBound, VGroup):
    """One lever: a frame, a name, a picture and a line of numbers. Subclasses draw the picture."""

    lever = ""
    words = ""
    also = ""
    role = "accent"

    def _build(self, width: float, height: float) -> None:
        self.frame = RoundedRectangle(width=width, height=height, corner_radius=0.16, stroke_width=2.5)
        self.frame.set_stroke(theme.role("hairline")).set_fill(theme.role("surface"), 1)
        self.heading = Label(self.words, "body", self.role, weight="medium")
        self.heading.next_to(self.frame.get_top(), DOWN, buff=0.22)
        self.heading.add(Label(self.also, "small", "muted").next_to(self.heading, DOWN, buff=0.1))
        self.picture, self.numbers = VGroup(), VGroup()
        self.room = (width - 0.8, height - 2.15)  # of the picture
        self.middle = self.frame.get_center() + 0.13 * DOWN
        self.add(self.frame, self.heading, self.picture, self.numbers)

    def _say(self, *parts: NumberLabel | Label) -> None:
        self.numbers.add(*parts).arrange(RIGHT, buff=0.12)
        self.numbers.next_to(self.frame.get_bottom(), UP, buff=0.22)
        if self.numbers.width > self.frame.width - 0.2:
            raise ExplainError(f"the numbers of the lever {self.lever!r} are wider than its panel; widen the map")

    def stand(self, forward: bool) -> Self:
        """Forward: all of it clear, the frame in its colour. Back: faint."""
        self.set_opacity(1.0 if forward else 0.22)
        self.frame.set_stroke(theme.role(self.role if forward else "hairline"))
        return self


def _columns(count: int, shape: float) -> int:
    """Columns of a grid of so many squares, about as wide as high times ``shape``; without a rest where it can be."""
    ideal = math.sqrt(count * shape)
    whole = [each for each in range(1, count + 1) if count % each == 0 and abs(math.log(each / ideal)) < 0.4]
    return min(whole, key=lambda each: abs(math.log(each / ideal)), default=math.ceil(ideal))


class RunLess(LeverPanel):
    """Few experts of many: as many squares as the layer has experts; lit are those to which a gate sends a token.

    >>> routes = self.run("untrained_gate")["chosen"]      # (token, expert), true where a token goes
    >>> panel = RunLess(self.number("v3.experts_per_token"), self.number("v3.routed_experts"), routes)
    >>> self.play(panel.light(1))                            # the experts of the next token

    Squares of one column stand together, so that a group of experts (``groups``) is a block of columns.
    """

    lever, words, also, role = "moe", "run less", "mixture of experts", "expert"

    def __init__(
        self, chosen: Quantity, experts: Quantity, routes: NamedArray, *, width: float = 3.9, height: float = 4.9
    ) -> None:
        super().__init__()
        self.bound = Bound((as_quantity(chosen, "RunLess"), as_quantity(experts, "RunLess"), as_routes(routes)))
        count = round(float(experts))
        if not 0 < count <= 1024:
            raise ExplainError(f"RunLess: {count} experts cannot be drawn; give 1 to 1024")
        if routes.values.shape[1] != count:
            raise ExplainError(f"RunLess: routes to {routes.values.shape[1]} experts do not fit {count} experts")
        self._build(width, height)
        columns = _columns(count, self.room[0] / self.room[1])
        rows = math.ceil(count / columns)
        pitch = min(self.room[0] / columns, self.room[1] / rows)
        self.squares = VGroup(*(Square(pitch * 0.74, stroke_width=0) for _ in range(count)))
        self.squares.arrange_in_grid(rows=rows, cols=columns, buff=pitch * 0.26, flow_order="dr")
        self.picture.add(self.squares.move_to(self.middle))
        self._colours = (theme.tint(self.role, 0.3), theme.role(self.role))
        for square, lit in zip(self.squares, self.routes(0), strict=True):
            square.set_fill(self._colours[lit], 1)
        self._say(
            NumberLabel(chosen, "plain bare", size="body", role=self.role),
            Label("of", "body", "muted"),
            NumberLabel(experts, "plain bare", size="body"),
            Label("experts", "body", "muted"),
        )

    def perturbed(self) -> Self:
        """The same experts, and tokens that go to all those to which they did not go."""
        chosen, experts, routes = self.bound
        return self.rebind(perturb(chosen), experts, perturb(routes))

    def routes(self, token: int) -> list[bool]:
        """Whether each expert is chosen for a token; after the last token comes the first again."""
        values = self.bound[2].values
        return [bool(each) for each in values[token % len(values)]]

    def light(self, token: int, run_time: float = 0.6) -> AnimationGroup:
        """The animation in which the experts of the token before go out, and then those of a token light up."""
        halves = {lit: squish_rate_func(smooth, 0.5 * lit, 0.5 + 0.5 * lit) for lit in (False, True)}
        moves = [
            square.animate(rate_func=halves[lit]).set_fill(self._colours[lit], 1)
            for square, lit in zip(self.squares, self.routes(token), strict=True)
        ]
        return AnimationGroup(*moves, run_time=run_time)


def as_routes(routes: object) -> NamedArray:
    """Check that ``routes`` says of each token to which experts it goes: (token, expert), true or false."""
    array = as_array(routes, "RunLess", 2)
    if array.values.dtype != np.bool_:
        raise ExplainError(f"RunLess: routes are true or false, (token, expert), not {array.values.dtype}")
    return array


class RememberLess(LeverPanel):
    """What attention would keep of a token, in cells; the one amber cell is what the latent keeps."""

    lever, words, also, role = "mla", "remember less", "latent attention", "latent"

    def __init__(self, kept: Quantity, full: Quantity, *, width: float = 3.9, height: float = 4.9) -> None:
        super().__init__()
        self.bound = Bound((as_quantity(kept, "RememberLess"), as_quantity(full, "RememberLess")))
        if kept.unit != full.unit or not 0 < kept.value <= full.value:
            raise ExplainError(f"RememberLess: {kept.short()} must be a part of {full.short()}, in its unit")
        times = float(full) / float(kept)
        if times > 2000:
            raise ExplainError(f"RememberLess: {times:.0f} cells are too many; draw bars on a log scale")
        self._build(width, height)
        columns = math.ceil(math.sqrt(times * self.room[0] / self.room[1]))
        rows = math.ceil(times / columns)
        pitch = min(self.room[0] / columns, self.room[1] / rows)
        side = pitch * 0.8
        self.cells, self.places = VGroup(), VGroup()
        for index in range(math.ceil(times - 1e-9)):
            wide = side * min(1.0, times - index)  # the last cell may be a part of one
            cell = Rectangle(width=wide, height=side, stroke_width=0, fill_color=theme.role("key"), fill_opacity=1)
            row, place = divmod(index, columns)
            self.cells.add(cell.move_to([place * pitch - side / 2 + wide / 2, -row * pitch, 0]))
            self.places.add(cell.copy().set_fill(opacity=0).set_stroke(theme.role("hairline"), 1.5))
        VGroup(self.cells, self.places).move_to(self.middle)
        self.cells[0].set_fill(theme.role(self.role), 1)
        self.picture.add(self.places, self.cells)
        self._say(
            NumberLabel(kept, "plain bare", size="body", role=self.role),
            Label("of", "body", "muted"),
            NumberLabel(full, "plain bare", size="body", role="key"),
            Label("values", "body", "muted"),
        )

    def squeeze(self, run_time: float = theme.TRANSFORM) -> LaggedStart:
        """The animation in which all cells but one go into the one that is kept; their places stay, empty."""
        kept = self.cells[0]
        moves = [cell.animate(path_arc=0.5).move_to(kept).set_opacity(0) for cell in reversed(self.cells[1:])]
        return LaggedStart(*moves, lag_ratio=0.02, run_time=run_time)


class LearnByChecking(LeverPanel):
    """The share of problems solved before and after learning from checked answers, on a scale from none to all.

    ``note`` says under the heading whose problems they are.
    """

    lever, words, also, role = "rl", "learn by checking", "reinforcement learning", "reward"

    def __init__(
        self, before: Quantity, after: Quantity, *, note: str = "", width: float = 3.9, height: float = 4.9
    ) -> None:
        super().__init__()
        self.bound = Bound((as_quantity(before, "LearnByChecking"), as_quantity(after, "LearnByChecking")))
        for each in self.bound:
            if each.unit != "%" or not 0 < each.value <= 100:
                raise ExplainError(f"LearnByChecking: {each.short()} = {each.value:g} is no share in per cent")
        self._build(width, height)
        wide, tall = self.room
        base = self.middle + tall / 2 * DOWN
        if note:
            said = Label(note, "small", "muted", width=width - 0.4, align="center")
            self.heading.add(said.next_to(self.heading, DOWN, buff=0.18))
            tall -= said.height + 0.18
        self.all = Rectangle(width=wide * 0.36, height=tall, stroke_width=2, stroke_color=theme.role("muted"))
        self.outlines, self.bars = VGroup(), VGroup()
        for side, share, colour in ((-1, before, "muted"), (1, after, self.role)):
            place = base + side * wide * 0.25 * RIGHT
            outline = self.all.copy().move_to(place, aligned_edge=DOWN)
            bar = Rectangle(width=outline.width, height=tall * float(share) / 100, stroke_width=0)
            self.outlines.add(outline)
            self.bars.add(bar.set_fill(theme.role(colour), 1).move_to(place, aligned_edge=DOWN))
        self.ground = Line(base + wide / 2 * (-RIGHT), base + wide / 2 * RIGHT, stroke_width=2)
        self.ground.set_stroke(theme.role("muted"))
        self.picture.add(self.outlines, self.bars, self.ground)
        self._say(
            NumberLabel(before, "percent 3", size="body", role="muted"),
            Label("→", "body", "muted"),
            NumberLabel(after, "percent 3", size="body", role=self.role),
            Label("solved", "body", "muted"),
        )

    def rise(self, run_time: float = 2.0) -> AnimationGroup:
        """The animation in which the second bar rises from the height of the first."""
        before, after = self.bars
        goal = after.copy()
        after.stretch_to_fit_height(before.height).move_to(goal, aligned_edge=DOWN)
        return AnimationGroup(after.animate.become(goal), run_time=run_time, rate_func=theme.EASE)


class LeversMap(VGroup):
    """The map of the course: run less (MoE), remember less (MLA), learn by checking (RL), side by side.

    >>> levers = LeversMap.read(self.number, self.run)     # the standing numbers, see `REFERENCES`
    >>> self.origin(*levers.sources)
    >>> self.play(FadeIn(levers));  self.play(levers.focus("mla"))

    Attributes
    ----------
    panels
        ``"moe"``, ``"mla"``, ``"rl"`` → panel, with its own small motion (`RunLess.light`,
        `RememberLess.squeeze`, `LearnByChecking.rise`).
    """

    kinds: tuple[type[LeverPanel], ...] = (RunLess, RememberLess, LearnByChecking)

    def __init__(
        self,
        moe: tuple[Quantity, Quantity, NamedArray],
        mla: tuple[Quantity, Quantity],
        rl: tuple[Quantity, Quantity],
        *,
        width: float = 12.4,
        height: float = 4.9,
        gap: float = 0.35,
        highlight: str = "",
    ) -> None:
        super().__init__()
        each = (width - 2 * gap) / 3
        given = {"moe": moe, "mla": mla, "rl": rl}
        self.panels: dict[str, LeverPanel] = {
            kind.lever: kind(*given[kind.lever], width=each, height=height) for kind in self.kinds
        }
        self.add(*self.panels.values())
        self.arrange(RIGHT, buff=gap).move_to(theme.STAGE_CENTER)
        if highlight:
            for name in self._names(highlight):
                self.panels[name].stand(name == highlight)

    @classmethod
    def read(
        cls,
        number: Callable[[str], Quantity],
        run: Callable[[str], Trace],
        *,
        highlight: str = "",
        width: float = 12.4,
        height: float = 4.9,
    ) -> Self:
        """The map with the course's standing numbers; ``number`` and ``run`` are a scene's."""
        return cls(*standing(number, run), highlight=highlight, width=width, height=height)

    @property
    def sources(self) -> tuple[Datum, ...]:
        """All numbers of the map, for the origin line."""
        return tuple(datum for panel in self.panels.values() for datum in panel.bound)

    def _names(self, highlight: str) -> list[str]:
        if highlight not in self.panels:
            raise one_of("lever", highlight, list(self.panels))
        return list(self.panels)

    def focus(self, highlight: str = "", run_time: float = theme.LEAVE) -> AnimationGroup:
        """The animation in which one lever stands forward and the others back; without a name all stand forward."""
        names = self._names(highlight) if highlight else list(self.panels)
        moves = [self.panels[name].animate.stand(highlight in ("", name)) for name in names]
        return AnimationGroup(*moves, run_time=run_time)
