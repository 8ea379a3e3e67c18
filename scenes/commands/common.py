"""What several commands share."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from scenes.environment import restored

if TYPE_CHECKING:
    from scenes.player.films import Film
    from scenes.registry import Course

Function = TypeVar("Function", bound=Callable[..., Any])


def _device(_context: click.Context, _option: click.Parameter, name: str | None) -> str | None:
    """A device that was asked for must be there, also where every run is read from its record."""
    if name in (None, "auto", "cpu"):
        return name
    from explainers.devices import resolve_device

    return resolve_device(name)


def context_options(function: Function) -> Function:
    """What the user may choose for every run: ``--text``, ``--seed``, ``--device``, ``--source``."""
    for option in (
        click.option("--source", help="Weights to read: small, a folder of ours, or checkpoint:PATH."),
        click.option("--device", callback=_device, help="cpu, cuda or auto (the default)."),
        click.option("--seed", type=int, help="Another seed for every run."),
        click.option("--text", help="Your own sentence for the model to read."),
    ):
        function = option(function)
    return function


def voice_options(function: Function) -> Function:
    """Who speaks: ``--voice``, ``--voice-model``."""
    for option in (
        click.option("--voice-model", type=click.Path(path_type=Path), help="The file that the voice reads (piper)."),
        click.option(
            "--voice",
            metavar="NAME",
            help="none (the default: captions only, timed by their words), espeak, recorded, piper, or one installed.",
        ),
    ):
        function = option(function)
    return function


def _adopt(context: click.Context, _option: click.Parameter, given: Path | None) -> None:
    """Choose the lecturer's own file for this call: the one given, else ``course.toml`` in the current folder."""
    from scenes import own_course

    named = os.environ.get(own_course.ENVIRONMENT)
    file = own_course.find(given, Path.cwd()) if given or not named else None
    if file is None:
        return
    _for_this_call(context, own_course.ENVIRONMENT, str(file))
    own = own_course.read(file)
    if own.model:
        from explainers import runs

        chosen = {**own.model, **runs.context().overrides()}
        _for_this_call(context, "EXPLAIN_CONTEXT", json.dumps(chosen))


def _chosen(environment: str) -> Callable[[click.Context, click.Parameter, str | None], None]:
    def choose(context: click.Context, _option: click.Parameter, name: str | None) -> None:
        if name:
            _for_this_call(context, environment, name)

    return choose


def _for_this_call(context: click.Context, name: str, value: str) -> None:
    """Set a variable that the processes of this call inherit, until the call ends."""
    context.with_resource(restored(name))
    os.environ[name] = value


def course_options(function: Function) -> Function:
    """Whose version: ``--course``, and what wins over it: ``--language``, ``--theme``, ``--aspect``."""
    file = click.Path(path_type=Path)
    hidden: dict[str, Any] = {"expose_value": False}
    for option in (
        click.option("--aspect", callback=_chosen("EXPLAIN_ASPECT"), help="16:9, 9:16 or 1:1.", **hidden),
        click.option("--theme", callback=_chosen("EXPLAIN_THEME"), help="dark, light or high-contrast.", **hidden),
        click.option(
            "--language", "--lang", callback=_chosen("EXPLAIN_LANG"), help="Language of script and pictures.", **hidden
        ),
        click.option(
            "--course", type=file, is_eager=True, callback=_adopt, help="Your own course.toml, or its folder.", **hidden
        ),
    ):
        function = option(function)
    return function


def _as_options_say(name: str) -> Callable[[], Any]:
    """The default of an option: what the course's own file says, else what is usual."""

    def default() -> Any:
        from scenes.production.settings import Options

        return getattr(Options(), name)

    return default


def quality_option(function: Function) -> Function:
    """``--quality``; without it what the course's own file says, else 720p."""
    about = "480p, 720p, 1080p or 4k."
    return click.option("--quality", default=_as_options_say("quality"), show_default="720p", help=about)(function)


def unfit_option(function: Function) -> Function:
    """``--unfit``; without it what the course's own file says, else ``refuse``."""
    about = "Scenes not laid out for the aspect: refuse, or band (16:9, in the middle)."
    return click.option("--unfit", default=_as_options_say("unfit"), show_default="refuse", help=about)(function)


def fps_option(function: Function) -> Function:
    """``--fps``; without it what the course's own file says, else by the quality."""
    about = "Frames a second; default 30 up to 720p, 60 above."
    return click.option("--fps", type=int, default=_as_options_say("fps"), help=about)(function)


def rendered(course: Course, numbers: Sequence[int], folder: Path, quality: str, jobs: int | None) -> list[Film]:
    """The films of these lectures (all where none is named) in a folder; what lacks there is rendered first.

    A film counts in the course's language and, where ``--theme`` or ``--aspect`` asks for one, in that look.
    """
    from scenes.production import render
    from scenes.production.settings import Options

    wanted = [course.lecture(number).number for number in numbers] or [one.number for one in course.lectures]
    here = {film.number for film in _fitting(folder, course)}
    if missing := [number for number in dict.fromkeys(wanted) if number not in here]:
        lectures = "lecture" if len(missing) == 1 else "lectures"
        click.echo(f"rendering {lectures} {', '.join(map(str, missing))}", err=True)
        render(missing, Options(quality=quality, out=folder, jobs=jobs))
    return [film for film in _fitting(folder, course) if film.number in wanted]


def _fitting(folder: Path, course: Course) -> list[Film]:
    from scenes import frame, look
    from scenes.player import films_in

    asked = (os.environ.get(look.ENVIRONMENT), os.environ.get(frame.ENVIRONMENT))
    return [
        film
        for film in films_in(folder, course=course)
        if film.lang == course.lang
        and all(not want or want == has for want, has in zip(asked, film.looks, strict=True))
    ]


def print_json(value: Any) -> None:
    """JSON on standard output, readable, with the field's own letters."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def as_minutes(seconds: float) -> str:
    """``75.2`` → ``"1:15"``; below a minute ``"8.2 s"``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
