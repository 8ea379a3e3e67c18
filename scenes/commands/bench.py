"""``explain bench``: measurements of this project's own speed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import numpy as np

from scenes.commands.common import print_json

if TYPE_CHECKING:
    from explainers.traces import Trace


@click.group()
def bench() -> None:
    """Measure how fast films are made, and how fast the engine computes."""


@bench.command()
@click.argument("targets", nargs=-1, metavar="[LECTURES or SCENES]...")
@click.option("--quality", default="1080p", show_default=True, help="480p, 720p, 1080p or 4k.")
@click.option("--fps", type=int, default=60, show_default=True, help="Frames a second.")
@click.option("--jobs", type=int, help="Scenes rendered at once; default one a core.")
@click.option("--engine", default="fast", show_default=True, help="fast or stock.")
@click.option("--sample", type=click.IntRange(min=1), help="Only so many of the scenes, by lot, always the same.")
@click.option(
    "--stock/--no-stock", default=True, help="Render with stock Manim, too; without it only the floor is told."
)
@click.option("--compare/--no-compare", default=True, help="Compare frames and films with stock's (two more drawings).")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def render(
    targets: tuple[str, ...], sample: int | None, stock: bool, compare: bool, as_json: bool, **chosen: Any
) -> None:
    """Render scenes with stock `manim render` and with `explain render` in turn, and compare.

    Name a few scenes (`explain bench render 3/AShortNote 7/OneGroup`) or let the lot choose (`--sample 6`): a lecture
    at 1080p60 takes stock Manim an hour on a slow machine. `--no-stock` renders whole lectures beside the time that
    encoding alone takes.
    """
    from scenes.production.bench import bench as measure
    from scenes.production.settings import Options

    def say(line: str) -> None:
        click.echo(line, err=as_json)

    found = measure(list(targets), Options(**chosen), say, stock=stock, compare=compare, sample=sample)
    if as_json:
        print_json(found)
    else:
        click.echo("\n".join(_in_all(found)))


def _in_all(found: dict[str, Any]) -> list[str]:
    theirs, ours = found["stock"], found["ours"]
    lines = [
        f"in all: {found['playing_seconds']:.0f} s of film, {found['frames']} frames on {found['cores']} cores",
        f"  ours  {ours['wall']:.1f} s (CPU {ours['cpu']:.1f} s), {ours['frames_a_second']:.1f} frames/s, "
        f"{found['playing_ratio']:.2f} of the playing time, largest process {ours['peak'] / 1e9:.2f} GB, "
        f"{found['size'] / 1e6:.1f} MB; {found['floor_ratio']:.2f} × the floor "
        f"({found['floor']:.1f} s to encode alone)",
    ]
    if theirs:
        lines.insert(
            1,
            f"  stock {theirs['wall']:.1f} s (CPU {theirs['cpu']:.1f} s), {theirs['frames_a_second']:.1f} frames/s",
        )
        ssim = f"; SSIM {found['stock_ssim']:.5f} → {found['ssim']:.5f}" if found["ssim"] is not None else ""
        lines.append(f"  {found['ratio']:.2f} × stock; {found['size_ratio']:.2f} × the size{ssim}")
    return lines


@bench.command()
@click.option("--size", "sizes", multiple=True, help="small, v2_lite or v3; repeatable. Default: all.")
@click.option("--part", "parts", multiple=True, help="moe or decode; repeatable. Default: both.")
@click.option("--tokens", default="1 8 32 1024", show_default=True, help="Tokens in a batch of experts.")
@click.option("--contexts", default="1024 8192 32768", show_default=True, help="Tokens in the cache, up to 131072.")
@click.option("--batches", default="1", show_default=True, help="Sequences decoded together, up to 128.")
@click.option("--memory", default=2.5e9, show_default=True, help="Bytes that one case may take.")
@click.option("--device", default="cpu", show_default=True, help="cpu or cuda (bfloat16).")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def engine(sizes: tuple[str, ...], parts: tuple[str, ...], as_json: bool, device: str, **chosen: Any) -> None:
    """Measure experts and decoding attention at real layer sizes, beside their floors and beside transformers.

    `explain bench engine --size small --part moe` takes seconds; all sizes take minutes. A case that does not fit the
    memory is left out.
    """
    from explainers.devices import resolve_device
    from explainers.experiments.engine import engine as measure

    given: dict[str, Any] = {name: " ".join(words) for name, words in (("sizes", sizes), ("parts", parts)) if words}
    trace = measure(**given, **chosen, device=resolve_device(device))
    if as_json:
        print_json(engine_rows(trace))
        return
    about = ", ".join(str(trace.meta[name]) for name in ("chip", "dtype", "date"))
    click.echo(f"{about}; milliseconds, best of a few, on a GPU the median")
    for row in engine_rows(trace)["rows"]:
        times = "  ".join(f"{way} {value * 1000:.4g}" for way, value in row["seconds"].items())
        click.echo(f"  {row['case']:<34} {times}")
    for name, quantity in trace.quantities.items():
        origin = getattr(quantity.origin, "formula", "")
        click.echo(f"  {name:<30} {quantity.value:9.4g} {quantity.unit}  {origin}")


def engine_rows(trace: Trace) -> dict[str, Any]:
    """The bench as rows: a case, and the seconds of each way that was measured."""
    rows = []
    for name in (name for name in ("moe", "decode") if name in trace.arrays):
        array = trace[name]
        for index in np.ndindex(*array.values.shape[:-1]):
            words = [f"{array.labels[axis][i]} {axis}" for axis, i in zip(array.axes[1:-1], index[1:], strict=True)]
            seconds = {
                way: float(value)
                for way, value in zip(array.labels["way"], array.values[index], strict=True)
                if np.isfinite(value)
            }
            if seconds:
                rows.append(
                    {"case": f"{name} {array.labels['size'][index[0]]}, {', '.join(words)}", "seconds": seconds}
                )
    ratios = {name: quantity.value for name, quantity in trace.quantities.items()}
    return {"meta": dict(trace.meta), "params": dict(trace.params), "rows": rows, "ratios": ratios}
