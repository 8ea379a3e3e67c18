"""``explain record``: a teleprompter, or the list of files to record."""

from __future__ import annotations

import sys

import click

from scenes.commands.common import course_options


@click.command()
@click.argument("targets", nargs=-1, required=True, metavar="LECTURE or SCENES...")
@click.option("--again", is_flag=True, help="Go through what is recorded already, too.")
@click.option("--device", metavar="NAME", help="The microphone: a name or number of `python -m sounddevice`.")
@click.option("--list", "only_list", is_flag=True, help="Print the files to record with their texts, and no more.")
@course_options
def record(targets: tuple[str, ...], again: bool, device: str | None, only_list: bool) -> None:
    """Record your own voice for LECTURE (`3`) or scenes (`3/TheCacheGrows`), step by step: read, listen, take again.

    Without a microphone it prints the list of files to record, with their texts. `explain render 3 --voice recorded`
    makes the film.
    """
    from explainers.errors import ExplainError
    from scenes.registry import Course
    from scenes.voices import prompting

    found = prompting.prompts(targets, Course.default())
    try:
        microphone = None if only_list or not _interactive() else prompting.microphone(device)
    except ExplainError as error:
        microphone = None
        click.echo(f"no recording here: {error}\n", err=True)
    if microphone is None:
        for line in prompting.wanted(found):
            click.echo(line)
        return
    open_ = [prompt for prompt in found if again or prompt.taken is None]
    if not open_:
        click.echo(f"all {len(found)} steps are recorded; --again goes through them")
        return
    written = prompting.record(open_, microphone, input, click.echo)
    click.echo(f"\n{len(written)} recorded; `explain render {' '.join(targets)} --voice recorded` makes the film")


def _interactive() -> bool:
    """Whether somebody sits at a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()
