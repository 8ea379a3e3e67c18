"""``explain list``: what can be rendered, without importing what renders it."""

from __future__ import annotations

import click

from scenes.commands.common import as_minutes, course_options, print_json


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON: lectures, scenes, steps and seconds.")
@course_options
def list_(as_json: bool) -> None:
    """List lectures and scenes with their steps and durations, as planned by the script."""
    from scenes.registry import Course, listing

    lectures = listing(Course.default())
    if as_json:
        print_json(lectures)
        return
    for lecture in lectures:
        title = click.style(f"{lecture['lecture']}  {lecture['title']}", bold=True)
        click.echo(f"{title}  ({as_minutes(lecture['seconds'])})")
        width = max(len(scene["scene"]) for scene in lecture["scenes"])
        for scene in lecture["scenes"]:
            steps = f"{scene['steps']} step{'s' if scene['steps'] != 1 else ''}"
            click.echo(f"   {scene['scene']:<{width}}  {as_minutes(scene['seconds']):>7}  {steps}")
