"""The codes of ``explain check``: for each a picture that is caught and one that is not, both from real scenes.

The bad scenes are the zoo on which the check is tested; beside it stand the same scenes, mended. The build runs the
check over both and refuses to go on where a bad one is not caught or a mended one still is.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
from manim import Mobject

from explainers.errors import ExplainError
from scenes.audit.checking import Wishes, check
from scenes.audit.findings import CODES, Finding
from scenes.docs import apart, markdown, studio
from scenes.docs.filmed import Filmed, boxed, film, frames_side_by_side, strip
from scenes.docs.studio import Draw
from scenes.production.looking import Pixels
from scenes.registry import Course

_ZOO = Path(__file__).resolve().parents[2] / "tests" / "scenes" / "audit" / "zoo"
#: Codes of time: their picture is the scene's time. Codes of motion: frames in between.
_TIMES = ("frozen", "overrun", "late-mark", "pace", "hold-short", "step-short", "scene-length", "script-mismatch")
_FILMS = ("flashes",)
FAMILIES = {
    "Numbers and their origin": ("digits-without-origin", "picture-unread"),
    "Words and code": ("said-without-origin", "digits-in-code"),
    "Pictures and their data": ("ignores-data", "rebind-fails"),
    "Layout and colour": ("outside-safe-area", "empty"),
    "Time": ("frozen", "course-length"),
    "The whole": ("script-mismatch", "waiver-unused"),
}


def bad_course() -> Course:
    """The zoo."""
    return Course(_ZOO / "scripts", _ZOO / "lectures")


def good_course() -> Course:
    """The zoo, mended; its scenes have the same names."""
    return Course(_ZOO / "mended_scripts", _ZOO / "mended")


def animals() -> dict[str, str]:
    """Code → the first scene of the zoo that is bad in that way (its docstring says so) and is there mended, too."""
    tree = ast.parse((_ZOO / "lectures" / "zoo.py").read_text(encoding="utf-8"))
    scenes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    mended = {name for _, name in good_course().classes}
    found: dict[str, str] = {}
    for scene in scenes:
        code = ast.get_docstring(scene) or ""
        if code in CODES and scene.name in mended:
            found.setdefault(code, scene.name)
    return found


def write(source: Path, codes: Collection[str], draw: Draw) -> None:
    """Write ``checks.md`` with two pictures for each of these codes."""
    scenes = {code: name for code, name in animals().items() if code in codes}
    bad, good = (_findings(course, list(scenes.values())) for course in (bad_course(), good_course()))
    parts = [
        "# What the check says",
        "`explain check` walks every step of every scene and prints findings, each with a code. Here is every code "
        "with a scene that is caught and the same scene mended; both were checked when these pages were built. A "
        'finding that must stand is waived beside its object: `waive(mobject, "code", reason="…")`.',
    ]
    order = list(CODES)
    for family, (first, last) in FAMILIES.items():
        chosen = [code for code in order[order.index(first) : order.index(last) + 1] if code in codes]
        parts += [f"## {family}"] if chosen else []
        for code in chosen:
            if code in scenes:
                parts.append(_caught(code, scenes[code], bad, good, source / "checks", draw))
            else:
                parts.append(_apart(code, source / "checks", draw))
    (source / "checks.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _findings(course: Course, names: list[str]) -> Mapping[str, list[Finding]]:
    found: dict[str, list[Finding]] = {name: [] for name in names}
    if names:
        report = check(Wishes(tuple(names), goldens=False), course)
        missed = [match[1] for note in report.notes if (match := re.match(r"determinism of (\S+) not judged", note))]
        if missed:  # somebody edited files meanwhile
            report.findings += check(Wishes(tuple(missed), goldens=False), course).findings
        for finding in report.findings:
            found.setdefault(finding.scene.rpartition("/")[2], []).append(finding)
    return found


def _caught(
    code: str, name: str, bad: Mapping[str, list[Finding]], good: Mapping[str, list[Finding]], folder: Path, draw: Draw
) -> str:
    """A code that a scene of the zoo has."""
    finding = next((each for each in bad[name] if each.code == code), None)
    if finding is None or good[name]:
        seen = "is not caught" if finding is None else f"is still caught, mended: {good[name][0].code}"
        raise ExplainError(f"the zoo's {name} ({code}) {seen}; mend it in {_ZOO.name}/")
    films = [film(course.entry(course.lecture(1), name)) for course in (bad_course(), good_course())]
    longest = max(each.seconds for each in films)
    for kind, filmed, its in (("bad", films[0], finding), ("good", films[1], None)):
        _save(_picture(code, filmed, its, finding.step, longest), folder / f"{code}-{kind}.png", draw)
    sources = [_code(path, name) for path in (_ZOO / "lectures" / "zoo.py", _ZOO / "mended" / "mended.py")]
    return _section(code, finding, sources)


def _picture(code: str, filmed: Filmed, finding: Finding | None, step: int, seconds: float) -> Mobject | Pixels:
    if code in _TIMES and filmed.report is not None:
        return strip(filmed, seconds, finding)
    last = max(filmed.ends)
    step = step if step in filmed.ends else last
    if code in _FILMS:
        return frames_side_by_side(filmed.motions[step][:6])
    passing = filmed.motions.get(step, [])
    middle = finding is not None and finding.step and passing and not finding.boxes
    frame = passing[len(passing) // 2] if middle else filmed.ends[step]
    return boxed(frame, finding.boxes if finding else ())


def _apart(code: str, folder: Path, draw: Draw) -> str:
    course = bad_course()
    two = apart.pair(code, course.entry(course.lecture(1), "Good"))
    _save(two.bad, folder / f"{code}-bad.png", draw)
    _save(two.good, folder / f"{code}-good.png", draw)
    return _section(code, two.finding, [])


def _save(picture: Mobject | Pixels, path: Path, draw: Draw) -> None:
    if isinstance(picture, np.ndarray):
        studio.write_png(picture, path)
    else:
        draw(picture, path)


def _section(code: str, finding: Finding, sources: list[str]) -> str:
    meaning = CODES[code]
    pictures = [
        f":::{{figure}} checks/{code}-{kind}.png\n:class: {kind}\n:alt: {kind}: {markdown.plain(meaning)}\n{words}\n:::"
        for kind, words in (("bad", f"Caught: {finding.object}: {finding.measure}."), ("good", "Not caught."))
    ]
    parts = [
        f"### {code}",
        f"{meaning[:1].upper()}{meaning[1:]}. To mend it: {finding.message}.",
        "::::{container} pair\n" + "\n\n".join(pictures) + "\n::::",
    ]
    if sources:
        blocks = "\n\n".join(markdown.fence("python", text) for text in sources)
        parts.append(f"::::{{container}} pair\n{blocks}\n::::")
    return "\n\n".join(parts)


def _code(path: Path, name: str) -> str:
    """The class, without the docstring that names its code."""
    text = path.read_text(encoding="utf-8")
    node = next(each for each in ast.parse(text).body if isinstance(each, ast.ClassDef) and each.name == name)
    lines = text.splitlines()[node.lineno - 1 : node.end_lineno]
    if ast.get_docstring(node):
        first = node.body[0]
        del lines[first.lineno - node.lineno : (first.end_lineno or first.lineno) - node.lineno + 1]
    lines = [line for line in lines if line.strip() != "lecture = 1"]
    while len(lines) > 1 and not lines[1].strip():
        del lines[1]
    return "\n".join(lines if len(lines) > 1 else [*lines, "    ..."])
