"""Memory and amounts, to scale: caches, chips, squares, crowds."""

from __future__ import annotations

from manim import DL, Mobject, VGroup

from explainers import runs
from explainers.references import resolve
from scenes.kit import (
    AmountSquare,
    CacheScale,
    CacheStack,
    CacheStrip,
    ChipShelf,
    Crowd,
    PackedChips,
    SharedBar,
    Waffle,
    column,
)
from scenes.kit.examples.showing import shows


@shows(CacheStrip)
def a_cache() -> Mobject:
    """One conversation's cache beside the memory of one GPU; cells are bytes of one size."""
    trace = runs.get("kv_attentions")
    full = trace.quantity("mha_128k")
    scale = CacheScale.of(full, length=10)
    strip = CacheStrip(full, scale=scale, name="every head its own keys and values", limit=trace.quantity("gpu_memory"))
    return VGroup(strip, strip.limit_mark("one GPU"))


@shows(CacheStack)
def caches() -> Mobject:
    """Several caches on one scale: what is compared is the length."""
    trace = runs.get("kv_attentions")
    kinds = (("MHA", "mha", "key"), ("GQA, eight heads", "gqa8", "value"), ("MLA", "mla", "latent"))
    scale = CacheScale.of(trace.quantity("mha_128k"), length=10)
    return CacheStack([CacheStrip(trace.quantity(f"{k}_128k"), scale=scale, name=n, role=r) for n, k, r in kinds])


@shows(PackedChips)
def a_node() -> Mobject:
    """What fills the memory of eight chips: weights, room that is kept, one cell a user."""
    trace = runs.get("node_room")
    names = ("memory", "weights", "reserve", "each_mla_4k", "users_mla_4k")
    return PackedChips(*(trace.quantity(name) for name in names))


@shows(ChipShelf)
def a_shelf() -> Mobject:
    """How many chips it takes to hold a model's weights."""
    return ChipShelf(resolve("v3.weight_bytes_fp8"), resolve("fact.hardware.h100.memory"), name="H100")


@shows(Waffle)
def squares() -> Mobject:
    """An amount as countable squares, each of one unit."""
    trace = runs.get("startup_month")
    return Waffle(trace.quantity("answers_opus5_5"), trace.quantity("square"), columns=20, cell=0.24, role="cost")


@shows(AmountSquare)
def areas() -> Mobject:
    """Amounts as areas on one scale: what a mixture of experts holds, and the part of it at work."""
    trace = runs.get("same_quality")
    whole = AmountSquare(trace.quantity("weights_moe"), unit=1e-9, role="expert", outline=True)
    part = AmountSquare(trace.quantity("active_moe"), unit=1e-9, role="expert")
    return VGroup(whole, part.move_to(whole, aligned_edge=DL))


@shows(Crowd)
def a_crowd() -> Mobject:
    """As many figures as there are people."""
    return Crowd(runs.get("node_room").quantity("users_gqa8_4k"), columns=40)


@shows(SharedBar)
def shared() -> Mobject:
    """One time, divided among those who share it."""
    trace = runs.get("shared_read")
    return column(*(SharedBar(trace["step"], trace["users"], at=at, thickness=0.6, length=10) for at in (0, 3, 6)))
