"""``explain plan``: what rendering on many machines would cost."""

from __future__ import annotations

from typing import Any

import click

from explainers.errors import ExplainError
from scenes.commands.common import as_minutes, course_options, fps_option, print_json, quality_option


@click.command()
@click.argument("targets", nargs=-1, metavar="[LECTURES or SCENES]...")
@quality_option
@fps_option
@course_options
@click.option("--workers", default="1,2,4,8,16,32,64", show_default=True, help="Numbers of workers.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def plan(targets: tuple[str, ...], workers: str, as_json: bool, **chosen: Any) -> None:
    """Say how long a render takes on so many workers, from the seconds that each scene took here.

    A worker is one core of one machine. Simulated: each scene goes, the longest first, to the worker that is free;
    the way of the results back is not counted, their bytes are printed.
    """
    from scenes.production.forecast import forecast
    from scenes.production.plan import Job
    from scenes.production.settings import Options
    from scenes.registry import Course, select

    options = Options(**chosen)
    films = select(list(targets), Course.default(options.lang))
    jobs = {entry.key: Job(entry, options.picture, options.engine) for film in films for entry in film.entries}
    found = forecast(list(jobs.values()), counted(workers))
    if as_json:
        print_json(found)
        return
    click.echo(
        f"{found['jobs']} jobs, {as_minutes(found['seconds'])} of work; the longest is {found['longest']} "
        f"({found['longest_seconds']:.1f} s)\n"
        f"sent {found['sent'] / 1e6:.2f} MB, returned {found['returned'] / 1e6:.2f} MB"
    )
    for row in found["workers"]:
        click.echo(f"{row['workers']:4d} workers  {as_minutes(row['seconds']):>8s}  {row['speed_up']:5.1f} ×")


def counted(text: str) -> tuple[int, ...]:
    """``"1,2,4"`` → (1, 2, 4)."""
    numbers = [number.strip() for number in text.split(",")]
    if not all(number.isdecimal() and int(number) for number in numbers):
        raise ExplainError(f"--workers {text}: give whole numbers from 1 on with commas between, as 1,10,20")
    return tuple(map(int, numbers))
