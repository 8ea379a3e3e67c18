"""Load balance as rain: tokens fall on experts, as many on each as the gate sends there."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Self

import numpy as np
from manim import DOWN, LEFT, RIGHT, UP, Animation, DashedLine, Line, Rectangle, VGroup, VMobject
from numpy.typing import NDArray

from explainers.errors import ExplainError
from explainers.traces import NamedArray
from scenes.kit import theme
from scenes.kit.binding import Bound, DataBound, as_array
from scenes.kit.text import Label

Floats = NDArray[np.float64]
_GOLDEN = (math.sqrt(5) - 1) / 2


class LoadRain(DataBound, VGroup):
    """Experts as columns as high as their load, with drops that fall on them, over the steps of a training.

    >>> rain = LoadRain(trace["load"].pick(mode=2, layer=2), trace["bias"].pick(mode=2, layer=2), most=4.0)
    >>> self.play(rain.fall(12, run_time=5))      # from where it stands to point 12 of the axis "step"

    ``load`` is (step, expert), each step summing to 1. A column is as high as its load against the mean; a dashed line
    marks the mean, a solid one the busiest expert, and the upright one beside it is as long as its load. ``most`` is
    the height of the picture in means (experts / k, when k experts get everything). ``bias`` (step, expert) hangs
    below: up for what was raised, down for what was lowered. Every drop is the same share of a step's tokens, and
    ``air`` is how long it falls, in points of the axis. A `fall` is a shower of its own: it begins with a clear sky and
    its last drops land at its end, so that the picture after it is the same however long it took.
    """

    def __init__(
        self,
        load: NamedArray,
        bias: NamedArray | None = None,
        *,
        most: float,
        width: float = 8.0,
        height: float = 2.6,
        sky: float = 0.9,
        bias_height: float = 0.5,
        drops: int = 32,
        air: float = 0.9,
        position: float = 0.0,
    ) -> None:
        as_array(load, "LoadRain: load", 2)
        if bias is not None and as_array(bias, "LoadRain: bias", 2).values.shape != load.values.shape:
            raise ExplainError(f"a bias of shape {bias.values.shape} does not belong to loads {load.values.shape}")
        if not np.allclose(load.values.sum(1), load.values.sum(1)[0], rtol=1e-3) or load.values.min() < 0:
            raise ExplainError("loads are shares: none below zero, and every step has the same sum")
        if most <= 1:
            raise ExplainError(f"most = {most:g} leaves no room above the mean; give experts / k")
        super().__init__()
        self.bound = Bound.of((load, bias))
        shares = load.values.astype(np.float64)
        self.loads = shares / shares.sum(1, keepdims=True) * shares.shape[1]  # 1 is the mean
        self.biases = np.zeros_like(self.loads) if bias is None else bias.values.astype(np.float64)
        self._most_bias = max(float(np.abs(self.biases).max()), 1e-9)
        self.most, self.drops, self.sky, self.bias_height = most, drops, sky, bias_height
        self.position, self.air = position, air
        self.shower = (0.0, math.inf)  # only drops that begin and land within are drawn
        self.plot = Rectangle(width=width, height=height, stroke_width=0, fill_opacity=0)
        self.columns, self.water = self._path("expert"), self._path("token")
        self.water.set_fill(opacity=0.55)  # many and fast: not so bright that they flicker
        self.raised, self.lowered = self._path("reward"), self._path("cost")
        self.base = Line(self.plot.get_corner(DOWN + LEFT), self.plot.get_corner(DOWN + RIGHT), stroke_width=2)
        self.base.set_stroke(theme.role("muted"))
        mean = self._y(1.0)
        self.mean = DashedLine([self.plot.get_left()[0], mean, 0], [self.plot.get_right()[0], mean, 0], dash_length=0.1)
        self.mean.set_stroke(theme.role("text"), 2)
        self.busiest = self.base.copy().set_stroke(theme.role("accent"), 3)
        self.reach = Line(UP, DOWN, stroke_width=4, stroke_color=theme.role("accent"))
        self.names = VGroup(Label("mean", "small", "text").next_to(self.mean, RIGHT, buff=0.1))
        self.zero = self.base.copy().set_stroke(theme.role("hairline"), 1.2).shift(DOWN * (0.16 + bias_height))
        self.add(self.plot, self.base, self.columns, self.water, self.mean, self.busiest, self.reach, self.names)
        if bias is not None:
            self.add(self.zero, self.raised, self.lowered)
        self.center()
        self.show(position)

    @staticmethod
    def _path(role: str) -> VMobject:
        return VMobject(stroke_width=0, fill_color=theme.role(role), fill_opacity=1)

    # ------------------------------------------------------------------ values → places
    def _y(self, load: float) -> float:
        return float(self.plot.get_bottom()[1] + self.plot.height * min(load, self.most) / self.most)

    def _at(self, values: Floats, position: float) -> Floats:
        low = int(np.clip(math.floor(position), 0, len(values) - 1))
        high = min(low + 1, len(values) - 1)
        return np.asarray(values[low] + (values[high] - values[low]) * np.clip(position - low, 0, 1))

    def max_vio(self, position: float | None = None) -> float:
        """How far the busiest expert lies above the mean."""
        return float(self._at(self.loads, self.position if position is None else position).max() - 1)

    def show(self, position: float) -> Self:
        """Show a moment: a point of the axis ``step``, or a place between two."""
        self.position = float(np.clip(position, 0, len(self.loads) - 1))
        load = self._at(self.loads, self.position)
        pitch = self.plot.width / len(load)
        x = self.plot.get_left()[0] + pitch * (np.arange(len(load)) + 0.5)
        ground = float(self.plot.get_bottom()[1])
        tops = np.array([self._y(each) for each in load])
        half = np.full(len(load), pitch * 0.36)
        _boxes(self.columns, x - half, x + half, np.full(len(load), ground), np.maximum(tops, ground + 0.01))
        self._bias(x, half)
        high = tops.max()
        right = float(self.plot.get_right()[0])
        self.busiest.put_start_and_end_on([x[load.argmax()] - half[0], high, 0], [right + 0.06, high, 0])
        self.reach.put_start_and_end_on([right, ground, 0], [right, max(high, ground + 0.01), 0])
        self._drops(x, tops, pitch)
        return self

    def _bias(self, x: Floats, half: Floats) -> None:
        if len(self.bound) == 1:
            return
        bias = self._at(self.biases, self.position) / self._most_bias * self.bias_height
        zero = float(self.zero.get_center()[1])
        for path, sign in ((self.raised, 1), (self.lowered, -1)):
            some = np.flatnonzero(bias * sign > 1e-4)
            ends = np.sort(np.stack([np.full(len(some), zero), zero + bias[some]]), axis=0)
            _boxes(path, x[some] - half[some], x[some] + half[some], ends[0], ends[1])

    def _drops(self, x: Floats, tops: Floats, pitch: float) -> None:
        """Drops in the air: each expert gets one whenever its load has added up to another drop."""
        fall = self.air
        grid = np.linspace(self.position - fall, self.position, 25)
        rate = np.stack([self._at(self.loads, each) for each in np.maximum(grid, 0)]) * self.drops / len(x)
        told = self._gone(self.position - fall) + np.concatenate(
            [np.zeros((1, len(x))), np.cumsum((rate[1:] + rate[:-1]) / 2 * np.diff(grid)[:, None], axis=0)]
        )
        sky = float(self.plot.get_top()[1]) + self.sky
        left, low = [], []
        for expert in range(len(x)):
            phase = (expert * _GOLDEN) % 1
            for drop in range(math.ceil(told[0, expert] - phase), math.floor(told[-1, expert] - phase) + 1):
                start = float(np.interp(drop + phase, told[:, expert], grid))
                share = (self.position - start) / fall
                if start <= self.shower[0] or start + fall > self.shower[1] or not 0 <= share < 1:
                    continue
                left.append(x[expert] + (((drop + phase) * _GOLDEN * 7) % 1 - 0.5) * pitch * 0.5)
                low.append(sky + (tops[expert] - sky) * share**1.6)
        across, up = np.array(left), np.array(low)
        wide = 0.032
        _boxes(self.water, across - wide, across + wide, up, up + 0.15)

    def _gone(self, position: float) -> Floats:
        """Drops that each expert got up to a moment (before the first point the first load holds)."""
        rate = self.loads * self.drops / self.loads.shape[1]
        if position <= 0:
            return np.asarray(rate[0] * position)
        whole = np.concatenate([np.zeros((1, rate.shape[1])), np.cumsum((rate[1:] + rate[:-1]) / 2, axis=0)])
        low = math.floor(position)
        part = position - low
        return np.asarray(whole[low] + part * (self._at(rate, low) + self._at(rate, position)) / 2)

    def perturbed(self) -> Self:
        """The same picture with the experts in the opposite order: loads stay shares."""
        return self.rebind(*(replace(each, values=each.values[:, ::-1].copy()) for each in self.bound))

    # ------------------------------------------------------------------ motion
    def fall(self, position: float, **options: Any) -> Raining:
        """The animation from this moment to a later one."""
        return Raining(self, position, **options)


class Raining(Animation):
    """A `LoadRain` walks along the steps of its training, at an even pace; a drop falls for so many ``seconds``."""

    def __init__(
        self,
        rain: LoadRain,
        position: float,
        run_time: float = 4.0,
        seconds: float = 0.8,
        rate_func: Callable[[float], float] = lambda t: t,
        **options: Any,
    ) -> None:
        if not 0 <= position <= len(rain.loads) - 1:
            raise ExplainError(f"there is no point {position:g}: the training has {len(rain.loads)}, counted from zero")
        self._goal = float(position)
        way = self._goal - rain.position
        self._air = min(seconds * way / run_time, 0.6 * way) or 0.3
        super().__init__(rain, run_time=run_time, rate_func=rate_func, **options)

    def begin(self) -> None:
        """Note where the rain stands; the shower begins."""
        self._start = self.mobject.position
        self.mobject.air, self.mobject.shower = self._air, (self._start, self._goal)
        super().begin()

    def interpolate_mobject(self, alpha: float) -> None:
        """Show this moment."""
        self.mobject.show(self._start + (self._goal - self._start) * self.rate_func(alpha))


def _boxes(path: VMobject, left: Floats, right: Floats, low: Floats, high: Floats) -> None:
    """Rectangles as one path."""
    zero = np.zeros(len(left))
    places = ((left, low), (right, low), (right, high), (left, high))
    corners = np.stack([np.stack([x, y, zero], -1) for x, y in places], 1)  # (n, 4, 3)
    following = np.roll(corners, -1, axis=1)
    shares = np.array([0, 1 / 3, 2 / 3, 1])[None, None, :, None]
    path.set_points((corners[:, :, None] * (1 - shares) + following[:, :, None] * shares).reshape(-1, 3))
