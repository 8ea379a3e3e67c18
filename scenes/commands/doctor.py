"""``explain doctor``: what is there, what lacks, and the command that mends it.

Every probe tries the thing itself (encodes with the codec's name, sets a formula, registers a font): a version number
alone does not say that something works.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import click

from explainers import paths
from explainers.errors import ExplainError
from scenes.commands.common import print_json

Status = Literal["ok", "missing", "optional"]
SIGNS = {"ok": ("✓", "green"), "missing": ("✗", "red"), "optional": ("–", "yellow")}
INSTALL = "rm -rf .venv && ./explain doctor (in a clone), or pip install --force-reinstall ."
FREE_GB = 2.0  # what films, caches and Manim's temporary files of the whole course take, with room


@dataclass(frozen=True)
class Finding:
    """One thing: its state, what was found, and the command that mends it (empty where nothing lacks)."""

    name: str
    status: Status
    found: str
    mend: str = ""


def _python() -> Finding:
    return Finding("Python", "ok", f"{platform.python_version()}, {sys.executable}")


def _manim() -> Finding:
    import manim
    import PIL

    found = f"{manim.__version__}, Pillow {PIL.__version__}"
    if not manim.__version__.startswith("0.22."):
        return Finding("Manim", "missing", found, 'pip install "manim[typst]>=0.22,<0.23"')
    if int(PIL.__version__.partition(".")[0]) >= 13:
        return Finding("Manim", "missing", f"{found}: too new, images fail", 'pip install "pillow<13"')
    return Finding("Manim", "ok", found)


def _cairo() -> Finding:
    import cairo

    cairo.Context(cairo.ImageSurface(cairo.FORMAT_ARGB32, 8, 8)).paint()
    return Finding("cairo", "ok", f"{cairo.cairo_version_string()} (pycairo {cairo.version})")


def _pango() -> Finding:
    import manimpango

    return Finding("Pango", "ok", f"{manimpango.pango_version()} (ManimPango {manimpango.__version__})")


def _video() -> Finding:
    import av

    lacking = [name for name in ("libx264", "aac") if name not in av.codecs_available]
    found = f"PyAV {av.__version__}, FFmpeg {av.ffmpeg_version_info}"
    if lacking:
        return Finding("video", "missing", f"{found}, without {', '.join(lacking)}", "pip install --force-reinstall av")
    return Finding("video", "ok", f"{found}, H.264 and AAC")


def _typst() -> Finding:
    import typst

    picture = typst.compile(b"$ sum_i x_i $", format="svg")
    if not picture:
        return Finding("Typst", "missing", "set nothing", 'pip install "manim[typst]>=0.22,<0.23"')
    return Finding("Typst", "ok", f"{version('typst')}, sets mathematics")


def _torch() -> Finding:
    from explainers.devices import describe

    about = describe()
    return Finding("torch", "ok", f"{about.version}, {about.threads} threads")


def _gpu() -> Finding:
    from explainers.devices import describe

    if not (names := describe().gpus):
        return Finding("GPU", "optional", "none that torch can use; everything runs on the CPU")
    return Finding("GPU", "ok", f"{', '.join(names)} (--device cuda)")


def _fonts() -> Finding:
    import manimpango

    from scenes.kit import fonts

    files = fonts.register()
    lacking = [family for family in (fonts.SANS, fonts.MONO) if family not in manimpango.list_fonts()]
    if lacking:
        return Finding("fonts", "missing", f"Pango does not see {', '.join(lacking)}", INSTALL)
    return Finding("fonts", "ok", f"{fonts.SANS}, {fonts.MONO} ({len(files)} files)")


def _resources() -> Finding:
    lacking = [str(path) for path in (paths.assets() / "facts", paths.lecture_scripts() / "en") if not path.is_dir()]
    if lacking:
        return Finding("assets", "missing", f"not there: {', '.join(lacking)}", "clone or install the project again")
    return Finding("assets", "ok", f"{paths.assets()}, {paths.lecture_scripts()}")


def _espeak() -> Finding:
    from scenes.voices import espeak

    try:
        return Finding("voice espeak-ng", "ok", f"{espeak.version()} (--voice espeak)")
    except ExplainError:
        return Finding("voice espeak-ng", "optional", "not installed", espeak.how_to_install())


def _piper() -> Finding:
    try:
        return Finding("voice piper", "ok", f"piper-tts {version('piper-tts')} (--voice piper --voice-model FILE)")
    except PackageNotFoundError:
        return Finding("voice piper", "optional", "not installed", f"{sys.executable} -m pip install piper-tts")


def _disk() -> Finding:
    place = _nearest(paths.cache())
    free = shutil.disk_usage(place).free / 1e9
    if not os.access(place, os.W_OK):
        return Finding("disk", "missing", f"{place} is not writable", "set EXPLAIN_CACHE to a folder of yours")
    if free < FREE_GB:
        mend = "free some space, or set EXPLAIN_CACHE to another disk"
        return Finding("disk", "missing", f"{free:.1f} GB free at {place}; films need {FREE_GB:g}", mend)
    return Finding("disk", "ok", f"{free:.0f} GB free at {place}")


def _cores() -> Finding:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return Finding("cores", "ok", f"{usable} usable; as many scenes are rendered at once")


#: In the order they are printed: (what it is called, whether a film needs it, the probe).
PROBES: tuple[tuple[str, bool, Callable[[], Finding]], ...] = (
    ("Python", True, _python),
    ("Manim", True, _manim),
    ("cairo", True, _cairo),
    ("Pango", True, _pango),
    ("video", True, _video),
    ("Typst", True, _typst),
    ("torch", True, _torch),
    ("GPU", False, _gpu),
    ("fonts", True, _fonts),
    ("assets", True, _resources),
    ("voice espeak-ng", False, _espeak),
    ("voice piper", False, _piper),
    ("disk", True, _disk),
    ("cores", True, _cores),
)


def examine() -> list[Finding]:
    """Every probe's finding. A probe that fails says so; none stops the others."""
    findings = []
    for name, necessary, probe in PROBES:
        try:
            findings.append(probe())
        except Exception as error:  # whatever a broken installation raises is the finding
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            findings.append(Finding(name, "missing" if necessary else "optional", reason, INSTALL))
    return findings


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def doctor(as_json: bool) -> int:
    """Say what is installed, what lacks, and the command that mends it; exit 1 if something necessary lacks."""
    findings = examine()
    lacking = [finding.name for finding in findings if finding.status == "missing"]
    if as_json:
        print_json({"ok": not lacking, "findings": [asdict(finding) for finding in findings]})
        return int(bool(lacking))
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        sign, colour = SIGNS[finding.status]
        click.echo(f"{click.style(sign, fg=colour)} {finding.name:<{width}}  {finding.found}")
        if finding.mend:
            click.echo(f"  {'':<{width}}  → {finding.mend}")
    click.echo(f"\nlacking: {', '.join(lacking)}" if lacking else "\nEverything that a film needs is there.")
    return int(bool(lacking))


def _nearest(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path
