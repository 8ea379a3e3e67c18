"""Every data-bound object: other data, another picture; no tensors, no bare numbers; every number has its Quantity."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from manim import RIGHT, UP, Dot, Group, Mobject, Square
from manim.utils.hashing import get_json

import scenes.kit as kit
from explainers.errors import ExplainError
from explainers.formatting import shown_matches
from explainers.quantities import Quantity, computed
from explainers.traces import NamedArray
from scenes.kit import (
    AttentionMap,
    Bar,
    BarChart,
    BarRow,
    Bottleneck,
    CacheScale,
    CacheStrip,
    ColorBar,
    ColorScale,
    CountingNumber,
    Crowd,
    DataBound,
    ExpertGrid,
    Flow,
    FlowFan,
    HeadRow,
    HeadSharing,
    LineChart,
    Listings,
    MatrixProduct,
    NumberLabel,
    PriceRace,
    Roof,
    RooflineChart,
    ScatterChart,
    Series,
    SharedBar,
    Slider,
    Spot,
    TensorGrid,
    TokenRow,
    VectorColumn,
    Waffle,
    Waterfall,
    Work,
    data_of,
)

WORDS = ("The", " cat", " sat", " on")


def q(value: float, unit: str = "", spread: float | None = None) -> Quantity:
    return computed(value, unit, "made up for a test", name=f"made up {value}", spread=spread)


def values(*shape: int, axes: tuple[str, ...], seed: int = 1, positive: bool = False) -> NamedArray:
    data = np.random.default_rng(seed).normal(size=shape)
    labels = {"token": WORDS} if "token" in axes and shape[axes.index("token")] == len(WORDS) else {}
    return NamedArray(np.abs(data) + 0.1 if positive else data, axes, "example", labels=labels)


def product() -> MatrixProduct:
    a, b = values(4, 6, axes=("token", "dim")), values(6, 3, axes=("dim", "latent"), seed=2)
    return MatrixProduct(a, b, NamedArray(a.values @ b.values, ("token", "latent"), "out"), names=("h", "W", "c"))


def fan() -> FlowFan:
    targets = [Square(0.3).shift(RIGHT * i) for i in range(3)]
    return FlowFan(Dot(UP * 2), targets, values(3, axes=("expert",), positive=True))


def cache(size: float = 3e9) -> CacheStrip:
    return CacheStrip(q(size, "B"), scale=CacheScale.of(q(8e9, "B"), length=8), name="MHA", limit=q(2e9, "B"))


def causal() -> NamedArray:
    return NamedArray(np.tril(values(4, 4, axes=("a", "b"), positive=True).values), ("query", "key"), "weights")


def roofline() -> RooflineChart:
    works = [Work("decode", q(2.0, "FLOP/B"), "latent"), Work("run", q(9.0, "FLOP/B"), "key", q(1e12, "FLOP/s"))]
    return RooflineChart([Roof("chip", q(1e15, "FLOP/s"), q(3e12, "B/s"))], works)


def race() -> PriceRace:
    day = NamedArray(np.array([738600, 739000, 739300]), ("listing",), "day", labels={"listing": ("a", "b", "c")})
    line = Listings("ours", values(3, axes=("listing",), positive=True), day, "latent", stepped=True)
    sure = NamedArray(np.array([True, False, True]), ("listing",), "sure")
    dots = Listings("others", values(3, axes=("listing",), seed=4, positive=True), day, sure=sure)
    return PriceRace([dots, line], low=0.05, high=20.0)


def shared() -> SharedBar:
    users = NamedArray(np.array([1.0, 2.0, 4.0, 8.0]), ("users",), "users")
    return SharedBar(values(4, axes=("users",), positive=True), users, length=6, at=2)


FACTORIES: dict[type[DataBound], Callable[[], DataBound]] = {
    AttentionMap: lambda: AttentionMap(causal()),
    BarChart: lambda: BarChart([Bar("MHA", q(4e6, "B"), "key"), Bar("MLA", q(7e4, "B"), "latent")], fmt="si"),
    BarRow: lambda: BarRow(values(8, axes=("expert",), positive=True), marked=(1,), y_name="score"),
    Bottleneck: lambda: Bottleneck([q(128), q(32), q(256)], names=("h", "c", "k"), roles=("token", "latent", "key")),
    CacheStrip: cache,
    ColorBar: lambda: ColorBar(ColorScale.of(values(5, axes=("dim",))), name="k"),
    CountingNumber: lambda: CountingNumber(q(10), q(500), size="display"),
    Crowd: lambda: Crowd(q(23), columns=8),
    ExpertGrid: lambda: ExpertGrid(values(8, axes=("expert",), positive=True), groups=2, shared=1),
    Flow: lambda: Flow(Dot(UP), Dot(-UP), q(0.7)),
    FlowFan: fan,
    HeadRow: lambda: HeadRow(values(3, 4, 5, axes=("head", "token", "dim"))),
    HeadSharing: lambda: HeadSharing(q(8, "head"), q(2, "head")),
    LineChart: lambda: LineChart(
        [
            Series("a", values(9, axes=("step",)), spread=values(9, axes=("step",), seed=4, positive=True)),
            Series("b", values(9, axes=("step",), seed=3), values(9, axes=("step",), seed=5), role="key", dashed=True),
        ],
        x_name="step",
        y_name="loss",
    ),
    MatrixProduct: product,
    NumberLabel: lambda: NumberLabel(q(70272, "B"), "si", size="display"),
    PriceRace: race,
    RooflineChart: roofline,
    ScatterChart: lambda: ScatterChart(
        [Spot("MHA", q(256.0), q(2.8, spread=0.1), "key"), Spot("MLA", q(48.0), q(2.9), "latent")], x_log=True
    ),
    SharedBar: shared,
    Slider: lambda: Slider(
        [("full", q(4e6)), ("shared", q(2.5e5)), ("latent", q(7e4))], name="cache", log=True, fmt="2"
    ),
    TensorGrid: lambda: TensorGrid(values(4, 60, axes=("token", "dim")), row_labels=True, max_columns=20, name="c"),
    TokenRow: lambda: TokenRow(values(4, 3, axes=("token", "dim"))),
    VectorColumn: lambda: VectorColumn(values(12, axes=("dim",)), role="latent", name="c"),
    Waffle: lambda: Waffle(q(230.0, "USD"), q(10.0, "USD"), columns=8),
    Waterfall: lambda: Waterfall([Bar("one", q(5.0)), Bar("two", q(2.0))], total="all"),
}
everything = pytest.mark.parametrize("factory", FACTORIES.values(), ids=[each.__name__ for each in FACTORIES])


def test_every_data_bound_object_of_the_kit_is_tested_here_or_perturbed_in_its_own_tests() -> None:
    offered = {each for each in vars(kit).values() if isinstance(each, type) and issubclass(each, DataBound)}
    others = [
        file.read_text("utf-8") for file in Path(__file__).parent.glob("test_*.py") if file.name != Path(__file__).name
    ]
    perturbed = "\n".join(text for text in others if ".perturbed()" in text)
    missing = [each for each in offered - {DataBound, *FACTORIES} if not re.search(rf"\b{each.__name__}\b", perturbed)]
    assert not missing


@everything
def test_other_data_is_another_picture(factory: Callable[[], DataBound], shoot) -> None:
    thing = factory()
    assert thing.bound
    other = thing.perturbed()
    assert type(other) is type(thing)
    assert len(other.bound) == len(thing.bound)
    changed = np.abs(shoot(thing) - shoot(other)).max(axis=2) > 20
    assert changed.sum() >= 8, "the picture does not follow its data"


@everything
def test_the_same_data_is_the_same_picture(factory: Callable[[], DataBound], shoot) -> None:
    thing = factory()
    again = thing.rebind(*thing.bound)
    assert np.array_equal(shoot(thing), shoot(again))
    assert all(a is b for a, b in zip(thing.bound, again.bound, strict=True))
    assert np.array_equal(shoot(factory()), shoot(thing))


@everything
def test_a_copy_looks_the_same_and_shares_the_data(factory: Callable[[], DataBound], shoot) -> None:
    thing = factory()
    copy = thing.copy()
    assert copy.bound is thing.bound
    assert np.array_equal(shoot(copy), shoot(thing))


@everything
def test_manims_cache_sees_the_data(factory: Callable[[], DataBound]) -> None:
    def seen(mobject: Mobject) -> str:
        return re.sub(r"0x[0-9a-f]+", "", json.dumps(get_json(mobject)))

    thing = factory()
    assert seen(thing) == seen(factory())
    assert seen(thing) != seen(thing.perturbed())


@everything
def test_every_number_on_screen_has_its_quantity(factory: Callable[[], DataBound]) -> None:
    for part in factory().get_family():
        text = getattr(part, "shown_text", None)
        if text is None or not re.search(r"\d", text):
            continue
        if part.text_kind == "tick":
            tick = computed(part.tick_value, part.tick_quantity.unit, "tick")
            assert shown_matches(text, tick), text
        else:
            assert shown_matches(text, part.quantity), (text, part.quantity.value)


@everything
def test_text_is_large_enough(factory: Callable[[], DataBound]) -> None:
    for part in factory().get_family():
        if hasattr(part, "cap_height_px"):
            assert part.cap_height_px >= 11, part.shown_text


@everything
def test_few_submobjects(factory: Callable[[], DataBound]) -> None:
    assert len(factory().get_family()) < 120


@everything
def test_rebind_wants_as_many_data(factory: Callable[[], DataBound]) -> None:
    thing = factory()
    with pytest.raises(ExplainError, match=f"holds {len(thing.bound)} data, but {len(thing.bound) + 1}"):
        thing.rebind(*thing.bound, thing.bound[0])


BARE: dict[str, Callable[[object], object]] = {
    "NumberLabel": NumberLabel,
    "CountingNumber": lambda x: CountingNumber(x, x),
    "TensorGrid": TensorGrid,
    "VectorColumn": VectorColumn,
    "AttentionMap": AttentionMap,
    "HeadRow": HeadRow,
    "BarRow": BarRow,
    "ExpertGrid": ExpertGrid,
    "ColorScale": ColorScale.of,
    "Bar": lambda x: Bar("a", x),
    "Series": lambda x: Series("a", x),
    "Spot": lambda x: Spot("a", x, x),
    "Roof": lambda x: Roof("a", x, x),
    "Work": lambda x: Work("a", x),
    "CacheScale": CacheScale.of,
    "CacheStrip": lambda x: CacheStrip(x, scale=CacheScale.of(q(1e3, "B"))),
    "Bottleneck": lambda x: Bottleneck([x, x]),
    "HeadSharing": lambda x: HeadSharing(x, x),
    "Flow": lambda x: Flow(Dot(), Dot(), x),
    "FlowFan": lambda x: FlowFan(Dot(), [Dot()], x),
    "MatrixProduct": lambda x: MatrixProduct(x, x, x),
    "TokenRow": TokenRow,
    "OriginLine": kit.OriginLine,
}


@pytest.mark.parametrize("build", BARE.values(), ids=BARE)
@pytest.mark.parametrize("bare", [3.5, torch.ones(2, 2), np.ones((2, 2)), [1.0, 2.0]], ids=lambda x: type(x).__name__)
def test_bare_numbers_and_tensors_are_refused(build: Callable[[object], object], bare: object) -> None:
    with pytest.raises(ExplainError) as caught:
        build(bare)
    message = str(caught.value)
    assert "\n" not in message
    if isinstance(bare, torch.Tensor) and build not in (TokenRow, kit.OriginLine):
        assert "torch" in message and "Trace" in message


def test_arrays_that_cannot_be_drawn_are_refused() -> None:
    holes = NamedArray(np.array([1.0, np.nan]), ("dim",), "k")
    with pytest.raises(ExplainError, match="k holds NaN"):
        VectorColumn(holes)
    with pytest.raises(ExplainError, match="empty"):
        TensorGrid(NamedArray(np.zeros((0, 3)), ("a", "b")))
    with pytest.raises(ExplainError, match=r"needs 2 axes, but example has head, token, dim.*pick"):
        AttentionMap(values(2, 4, 5, axes=("head", "token", "dim")))


def test_data_of_finds_everything_once() -> None:
    strip = cache()
    number = NumberLabel(strip.bound[0])
    found = data_of([Group(strip, number)])
    assert [datum for datum in found if datum is strip.bound[0]] == [strip.bound[0]]
    assert any(datum is strip.limit for datum in found)


class Named(TensorGrid):
    """A kind of grid that adds nothing to the constructor."""


def test_a_subclass_without_a_constructor_rebinds() -> None:
    thing = Named(values(4, 6, axes=("token", "dim")), name="c")
    other = thing.perturbed()
    assert type(other) is Named and other.name_label.shown_text == "c"
    assert not np.array_equal(other.image.pixel_array, thing.image.pixel_array)


def test_an_object_that_moved_on_to_other_data_rebinds_from_there() -> None:
    grid = TensorGrid(values(4, 6, axes=("token", "dim")))
    goal = values(4, 6, axes=("token", "dim"), seed=8)
    animation = grid.morph_to(goal)
    animation.begin()
    animation.interpolate(1)
    animation.finish()
    again = grid.rebind(*grid.bound)
    assert again.bound == (goal,)
    fresh = values(4, 6, axes=("token", "dim"), seed=9)
    assert grid.rebind(fresh).bound == (fresh,)


def test_rebinding_stays_in_place() -> None:
    grid = TensorGrid(values(4, 6, axes=("token", "dim")), bar=False).shift(RIGHT * 2)
    other = grid.rebind(values(4, 6, axes=("token", "dim"), seed=9))
    assert np.allclose(other.get_center(), grid.get_center())
