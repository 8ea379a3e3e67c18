"""``explain init``: a lecturer's own version of the course, to start from."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
def init(folder: Path) -> None:
    """Write FOLDER/course.toml: which lectures and scenes you show, in which order, look, language and size.

    Everything in it is explained and nothing is changed yet: it is the whole course until you take something out.
    """
    from scenes.registry import Course, listing
    from scenes.starting import start

    course = Course.default()
    file = start(folder, course)
    count = len(listing(course.home))
    click.echo(f"{file}  ({count} lectures; change it, then: cd {file.parent} && explain list)")
