"""``explain new``: scenes, lectures, runs and kit objects that already work, to be changed into yours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from explainers.errors import ExplainError

if TYPE_CHECKING:
    from scenes.workshop.scaffold import Change


@click.group()
def new() -> None:
    """Write a small, working, tested example in the right place: a scene, a lecture, a run or a kit object."""


@new.command()
@click.argument("name")
@click.option("--lecture", type=int, required=True, help="The number of the lecture that gets the scene, at its end.")
def scene(name: str, lecture: int) -> None:
    """Add the scene NAME (like TheCacheGrows): a section of the script, its class and its golden."""
    from scenes.workshop.scaffold import new_scene

    _write_scene(new_scene(name, lecture))


@new.command()
@click.argument("title")
@click.option("--number", type=int, help="Default: the first that is free after the last.")
@click.option("--scene", default="", metavar="NAME", help="Name of its first scene; default: the title's words.")
@click.option("--question", default="", help="What a viewer can answer afterwards.")
def lecture(title: str, number: int | None, scene: str, question: str) -> None:
    """Begin the lecture TITLE (like "Sparse attention") with one scene, marked as a draft."""
    from scenes.workshop.scaffold import new_lecture

    _write_scene(new_lecture(title, number, scene, question))


@new.command()
@click.argument("name")
@click.option("--summary", default="", help="What it computes, in a line, for `explain run list`.")
def run(name: str, summary: str) -> None:
    """Add the run NAME (like cache_held): its function, its line in the catalogue, its test."""
    from scenes.workshop.scaffold import new_run

    _write(new_run(name, summary))
    click.echo(f"\nexplain run {name}\nexplain test tests/explainers/test_experiments_{name}.py")


@new.command("kit-object")
@click.argument("name")
def kit_object(name: str) -> None:
    """Add the kit object NAME (like WaterTank): its class, its export, an example for the documentation, its test."""
    from scenes.workshop.naming import snake
    from scenes.workshop.scaffold import new_kit_object

    _write(new_kit_object(name))
    click.echo(f"\nfrom scenes.kit import {name}\nexplain test tests/scenes/kit/test_kit_{snake(name)}.py")


def _write(change: Change) -> None:
    from scenes.workshop.scaffold import shown

    for path in change.write():
        click.echo(f"{'wrote  ' if path in change.new else 'added to'} {shown(path)}")


def _write_scene(change: Change) -> None:
    from scenes.registry import Course
    from scenes.workshop.scaffold import checked

    _write(change)
    if findings := checked(change.scene, Course.default()):
        raise ExplainError(f"{change.scene} was written, but does not pass its check: {'; '.join(findings)}")
    name = change.scene.partition("/")[2]
    click.echo(f"checked {change.scene}: no findings; its golden is written")
    click.echo(f"\nexplain watch {name}     # change it and see every step at once\nexplain check {name} --update")
