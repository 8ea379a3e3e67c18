"""`explain site`: a folder of static files out of rendered films. Written aside, then moved into place whole."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explainers import runs
from explainers.errors import ExplainError
from scenes import own_course
from scenes.player import folders, labs, look, pages, pictures
from scenes.player.course import course, identities, lecture
from scenes.player.escaping import script_data
from scenes.player.films import Film
from scenes.player.origins import Origins
from scenes.player.tensors import find_trace, trace_data

BUILT = Path(__file__).parent / "built"
MARK = ".explain-site"

Tell = Callable[[str], None]


@dataclass(frozen=True)
class SiteResult:
    """A site that was built: its folder, its lectures and its size in bytes."""

    folder: Path
    lectures: tuple[str, ...]
    size: int
    files: int


def build_site(films: Sequence[Film], out: Path, *, tell: Tell = lambda _: None) -> SiteResult:
    """Build the site of these films in ``out``, replacing a site that was built there before.

    Raises `ExplainError` where ``out`` is a folder with other things in it; it is left as it is.
    """
    if not films:
        raise ExplainError("there are no films to build a site from; run `explain render all`")
    if folders.is_foreign(out, MARK):
        raise ExplainError(f"{out} holds other things; choose an empty folder with --out")
    making = out.with_name(f".{out.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    try:
        _fill(identities(films), making, tell)
        folders.put(making, out)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    files = [path for path in out.rglob("*") if path.is_file()]
    return SiteResult(out, tuple(film.name for film in films), sum(p.stat().st_size for p in files), len(files))


def _fill(films: dict[str, Film], folder: Path, tell: Tell) -> None:
    _assets(folder / "assets")
    known = course(films, labs.write(folder / "data" / "labs", script_data, tell))
    known["scales"] = look.scales()
    own = own_course.current()
    known["title"] = own.title if own else ""
    for (name, film), about in zip(films.items(), known["lectures"], strict=True):
        tell(f"lecture {name}: pictures of {len(film.steps)} steps")
        target = folder / "films" / film.name
        pictures.draw(film, target)
        for file in (film.video, film.video.with_suffix(".vtt")):
            if file.is_file():
                shutil.copyfile(file, target / file.name)
        origins = Origins()
        numbers = lecture(film, origins)
        numbers["runs"] = _tensors(film, origins, folder / "data" / "runs", tell)
        _write(folder / "data" / f"{film.name}.js", script_data(film.name, numbers))
        _write(folder / "notes" / f"{film.name}.html", pages.notes(about, numbers))
    _write(folder / "data" / "course.js", script_data("course", known))
    _write(folder / "index.html", pages.index(known))
    _write(folder / MARK, "explain site\n")


def _assets(folder: Path) -> None:
    """The built player with its fonts, and the films' palette."""
    if not (BUILT / "player.js").is_file():
        raise ExplainError(f"{BUILT} lacks the built player; reinstall the package, or build it in scenes/player/web")
    shutil.copytree(BUILT, folder, ignore=shutil.ignore_patterns("*.gz"))
    _write(folder / "theme.css", look.stylesheet())
    _write(folder / "icon.svg", look.icon())


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


def _tensors(film: Film, origins: Origins, folder: Path, tell: Tell) -> dict[str, str]:
    """Write the runs that the numbers name; ``"run digest"`` → file, as far as they can be found again.

    The digest in the film decides: a run that gives other tensors today is not shown as the film's.
    """
    settings = film.manifest["settings"]
    chosen = runs.Context(settings.get("text"), settings.get("seed"), None, settings.get("source"))
    reads = [read for scene in film.manifest["scenes"] for read in scene["reads"] if read["kind"] == "run"]
    found = {}
    before = runs.context()
    runs.set_context(chosen)
    try:
        for (name, digest), params in origins.runs.items():
            choices: list[dict[str, Any]] = [{}, params, *(read["params"] for read in reads if read["name"] == name)]
            trace = find_trace(name, digest, [one for i, one in enumerate(choices) if one not in choices[:i]])
            if trace is None:
                tell(
                    f"lecture {film.number}: run {name} gives other tensors now; render the lecture again to show them"
                )
                continue
            file = f"{name}-{hashlib.sha256(digest.encode()).hexdigest()[:12]}"
            _write(folder / f"{file}.js", script_data(f"runs/{file}", trace_data(trace)))
            found[f"{name} {digest}"] = file
    finally:
        runs.set_context(before)
    return found
