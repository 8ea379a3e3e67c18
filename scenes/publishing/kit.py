"""A folder that can be uploaded: film, captions, chapters, description, thumbnail, and what its loudness is."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from explainers import runs
from explainers.errors import ExplainError
from explainers.traces import write_aside
from scenes import frame
from scenes.environment import restored
from scenes.production import sound
from scenes.production.assemble import MANIFEST
from scenes.publishing import describing
from scenes.registry import Course, select


def kit(number: int, films: Path, out: Path, picture: str = "") -> tuple[Path, list[str]]:
    """Write the folder ``<out>/<film>`` for a lecture that was rendered into ``films``.

    Returns the folder, and what a user should know. ``picture``: ``Scene/step`` of the thumbnail.
    """
    course = Course.default()
    (film,) = select([str(number)], course)
    folder = films / film.name
    manifest = _rendered(folder, film.name, number)
    target = out / film.name
    target.mkdir(parents=True, exist_ok=True)
    for left in target.glob("thumbnail.*"):
        left.unlink()
    for suffix in (".mp4", ".srt", ".vtt"):
        shutil.copyfile(folder / f"{film.name}{suffix}", target / f"{film.name}{suffix}")
    chapters = describing.chapters(manifest)
    answer = film.lecture.about.get("answer", "")
    texts = {
        "title.txt": describing.title(manifest),
        "chapters.txt": "\n".join(describing.chapter_lines(chapters)),
        "description.txt": describing.description(manifest, answer).strip(),
    }
    loudness, notes = _loudness(folder / f"{film.name}.mp4")
    texts["loudness.txt"] = loudness
    for name, text in texts.items():
        write_aside(target / name, (text + "\n").encode())
    with _chosen(manifest):
        from scenes.publishing import thumbnail

        name, content = thumbnail.encoded(thumbnail.thumbnail(film.lecture, course, picture))
    write_aside(target / name, content)
    if not chapters:
        notes.append("too short for chapters: YouTube wants three of ten seconds at least")
    if manifest["settings"]["height"] < 720:
        notes.append(f"the film has {manifest['settings']['quality']}; render with --quality 1080p to publish it")
    return target, notes


def _rendered(folder: Path, name: str, number: int) -> dict[str, Any]:
    """The manifest of a film, all of whose files are there."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ExplainError(
            f"lecture {number} was not rendered into {folder.parent}; run `explain render {number} --quality 1080p`, "
            "or say with --films where it is"
        ) from None
    except (OSError, ValueError) as error:
        raise ExplainError(f"{folder / MANIFEST} cannot be read ({error}); render the lecture again") from error
    lacking = [suffix for suffix in (".mp4", ".srt", ".vtt") if not (folder / f"{name}{suffix}").is_file()]
    if lacking:
        raise ExplainError(f"{folder} lacks {name}{lacking[0]}; render the lecture again")
    return dict(manifest)


def _loudness(film: Path) -> tuple[str, list[str]]:
    """The report, and a note where something is off."""
    found = sound.measure_file(film)
    if found is None:
        note = "the film is silent; `explain render N --voice …` gives it a voice"
        return f"no sound: {note}", [note]
    fits = abs(found.integrated - sound.LOUDNESS) <= 1 and found.peak < sound.PEAK
    report = (
        f"integrated loudness  {found.integrated:.1f} LUFS  (wanted: {sound.LOUDNESS:g})\n"
        f"true peak            {found.peak:.1f} dBTP  (wanted: below {sound.PEAK:g})\n"
        f"measured on {film.name} as decoded, ITU-R BS.1770"
    )
    return report, [] if fits else ["the loudness is off; see loudness.txt, and render again"]


@contextmanager
def _chosen(manifest: Mapping[str, Any]) -> Iterator[None]:
    """What was chosen for the film holds for its thumbnail: theme, text, seed, weights. It is 16:9 in any case."""
    settings = manifest["settings"]
    with restored("EXPLAIN_THEME", "EXPLAIN_CONTEXT", "EXPLAIN_LANG", frame.ENVIRONMENT):
        runs.add_context(**{name: settings.get(name) for name in ("text", "seed", "source")})
        if settings.get("theme"):
            os.environ["EXPLAIN_THEME"] = str(settings["theme"])
        os.environ["EXPLAIN_LANG"] = str(manifest["language"])
        os.environ[frame.ENVIRONMENT] = frame.WIDE
        yield
