"""``explain script``: scripts in other languages."""

from __future__ import annotations

import click


@click.group()
def script() -> None:
    """Write the course in another language: a script a lecture, and a catalogue of what its pictures say."""


@script.command()
@click.argument("language")
@click.argument("lectures", nargs=-1, type=int)
def new(language: str, lectures: tuple[int, ...]) -> None:
    """Begin LECTURES (default: all) in LANGUAGE (de, zh, fr …).

    The script has the same steps, references and marks as the English one, its paragraphs still in English. Beside it
    stands a .po file with the words of the pictures, for Poedit or any editor; words of all lectures are in common.po.
    What is there already stays. `explain check --language LANGUAGE` says what is not translated yet.
    """
    from scenes.registry import Course
    from scenes.translating import start

    course = Course.default("en")
    for number in lectures or [lecture.number for lecture in course.home.lectures]:
        done = start(language, number, course)
        what = "wrote  " if done.new else f"added {', '.join(done.added)} to" if done.added else "kept   "
        click.echo(f"{what} {done.script}")
        for file, count in done.words.items():
            click.echo(f"{count:4d} new texts in {file}")
    click.echo(f"\nexplain check {' '.join(map(str, lectures))} --language {language}".replace("  ", " "))
