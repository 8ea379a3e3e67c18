"""``explain check``: the audit of scenes."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from scenes.commands.common import context_options, course_options, voice_options

if TYPE_CHECKING:
    from scenes.audit.checking import Report


@click.command()
@click.argument("targets", nargs=-1, metavar="[LECTURES or SCENES]...")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("--jobs", type=click.IntRange(1), help="Scenes at once; default one a core.")
@click.option("--determinism", is_flag=True, help="Run every scene again: other process, other hash seed, cold caches.")
@click.option("--update", is_flag=True, help="Show how pictures differ from the reviewed ones, and write them.")
@click.option("--goldens/--no-goldens", default=True, help="Compare with the reviewed pictures (default yes).")
@context_options
@course_options
@voice_options
def check(targets: tuple[str, ...], as_json: bool, **chosen: Any) -> None:
    """Check scenes without rendering video: origin of numbers, data, layout, timing, script, determinism.

    With a voice, words and motions are compared as it says them, and no length is judged. With another sentence, seed
    or model, pictures are not compared with the reviewed ones.

    Exit status 1 if any finding stands. A finding is mended, or waived beside the object with a reason
    (scenes/waivers.py); waivers are listed.
    """
    from explainers.runs import add_context
    from scenes.audit.checking import Wishes
    from scenes.audit.checking import check as audit

    start = time.perf_counter()

    def tell(scene: str) -> None:
        if not as_json and sys.stderr.isatty():
            click.echo(f"  {time.perf_counter() - start:5.0f} s  {scene}", err=True)

    add_context(**{name: chosen.pop(name) for name in ("text", "seed", "device", "source")})
    report = audit(Wishes(targets, **chosen), tell=tell)
    if as_json:
        click.echo(json.dumps(report.to_json(), indent=1, ensure_ascii=False))
    else:
        _print(report, time.perf_counter() - start)
    sys.exit(1 if report.findings else 0)


def _print(report: Report, seconds: float) -> None:
    scene = ""
    for finding in report.findings:
        if finding.scene != scene:
            scene = finding.scene
            click.secho(f"\n{scene}", bold=True)
        steps = ", ".join(str(step) for step in (finding.step, *finding.more_steps)) if finding.step else "–"
        click.echo(f"  step {steps:<6} {click.style(finding.code, fg='red'):<24} {finding.object}")
        click.echo(f"{'':14}{finding.measure}")
        click.echo(f"{'':14}→ {finding.message}")
    for line in shortened(report.updated):
        click.echo(f"golden  {line}")
    waivers = [waiver for each in report.audits for waiver in each.waivers]
    if waivers:
        click.secho("\nwaived", bold=True)
        for waiver in waivers:
            click.echo(f"  {waiver['scene']}  {waiver['code']}  ({waiver['where']}): {waiver['reason']}")
    for note in report.notes:
        click.echo(f"note: {note}")
    data = report.to_json()
    summary = (
        f"\n{data['scenes']} scenes, {data['steps']} steps, {data['numbers']} numbers, "
        f"{len(report.findings)} findings, {len(waivers)} waivers  ({seconds:.0f} s)"
    )
    click.secho(summary, fg="red" if report.findings else "green")


def shortened(lines: Sequence[str], most: int = 4) -> Iterator[str]:
    """What changed in goldens, ``Scene step N: …``: the first few lines of each step, and how many more there are."""
    for step, group in groupby(lines, key=lambda line: line.partition(": ")[0]):
        changed = list(group)
        yield from changed[:most]
        if len(changed) > most:
            yield f"{step}: … and {len(changed) - most} more"
