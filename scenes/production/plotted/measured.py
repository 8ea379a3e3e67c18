"""Plots of what was measured on a GPU: the engine at real sizes, and its points under the chip's own roof."""

from __future__ import annotations

from manim import Mobject

from explainers.traces import Trace
from scenes.kit import Roof, RooflineChart, Work
from scenes.production.plots import plot
from scenes.production.plotted.newer import decoding


@plot(
    "engine_gpu",
    "One step of V3's attention on an H100",
    found="""Measured on one H100 in bfloat16, {bandwidth} of memory and {matmul_rate} of products reached. V3's experts
    come to {moe_of_floor_v3 | percent .0} of what bytes and FLOPs allow at best. Absorbed decoding is up to
    {decode_gain_v3 | .0} as fast as transformers' module, which expands keys and values anew; a whole layer with V3's
    sizes reaches {decode_of_floor_v3 | percent .0} of the memory's speed at best, its attention alone {core_of_floor_v3
    | percent .0}; with V2-Lite's sixteen heads, {decode_of_floor_v2_lite | percent .0} and {core_of_floor_v2_lite |
    percent .0}.""",
    against="""Being limited by memory is not what V3's many heads feel: each byte of the cache serves so many products
    that reading and multiplying take about as long, and both at once is hard. Where one expert's tokens fill two rows
    of tiles and a little, V3's experts fall to {moe_of_floor_least_v3 | percent .0} of the floor; with one sequence and
    a short cache a layer is many small kernels, and V2-Lite's experts reach {moe_of_floor_least_v2_lite | percent .0}
    with one token.""",
)
def engine_gpu(trace: Trace) -> Mobject:
    return decoding(trace, "v3")


@plot(
    "roofline_measured",
    "Measured points under the roof of one H100",
    found="""With {param.batch} sequences of {param.context} tokens, attention with V3's heads each alone reaches
    {mha_rate | si 3} ({mha_busy | percent .1} of the chip's peak), MLA absorbed {mla_rate | si 3} ({mla_busy | percent
    .0}). V3's experts are the points that are named by their tokens: one token alone {experts_rate_1 | si 3},
    {experts_rate_1024 | si 3} with a thousand, which each take {experts_less_1024 | .0} less time than one alone.""",
    against="""MLA does not stand on its roof: {mla_of_roof | percent .0} of what the measured bandwidth allows. MQA, at
    half of its intensity, reaches {mqa_of_roof | percent .0}: torch's attention does not split a cache that few
    sequences share.""",
)
def roofline_measured(trace: Trace) -> Mobject:
    roof = Roof("H100, measured", trace.quantity("matmul_rate"), trace.quantity("bandwidth"), "text")
    attention = [
        Work(name, trace.quantity(f"{key}_intensity"), role, trace.quantity(f"{key}_rate"))
        for name, key, role in (("MHA", "mha", "key"), ("MQA", "mqa", "query"), ("MLA", "mla", "latent"))
    ]
    works = [
        Work(
            f"{int(label):,} tokens",
            trace.quantity(f"experts_intensity_{label}"),
            "expert",
            trace.quantity(f"experts_rate_{label}"),
        )
        for label in ("32", "1024", "32768")
    ]
    return RooflineChart([roof], [*works, *attention], width=9, height=4.4)
