"""Visual regression that works on every machine: reviewed fingerprints, compared with tolerance.

``tests/goldens/<lecture>/<Scene>.json`` holds what stands where in each step, and a thumbnail of the last one. Boxes
may move by a hundredth of the frame's height and colours by a shade before a picture counts as changed; no file is
a finding, never a silent pass.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from explainers import paths
from explainers.errors import ExplainError
from explainers.traces import write_aside
from scenes.audit.findings import Finding
from scenes.audit.walking import SceneAudit
from scenes.registry import Course

#: Manim units, steps of a colour channel, and mean and largest difference of thumbnail pixels.
_MOVED, _SHADE = 0.08, 6
_THUMBNAIL_MEAN, _THUMBNAIL_BLOCK = 3.0, 40.0
_SHOWN = 6


def folder(course: Course) -> Path | None:
    """Where a course keeps its goldens: beside its tests, or None where it is installed without them."""
    if course.scripts.resolve() != paths.lecture_scripts().resolve():
        return course.scripts.parent / "goldens"
    root = Path(__file__).resolve().parents[2] / "tests"
    return root / "goldens" if root.is_dir() else None


def file_of(audit: SceneAudit, goldens: Path) -> Path:
    """The golden of a scene."""
    return goldens / str(audit.lecture) / f"{audit.scene.rpartition('/')[2]}.json"


def check(audit: SceneAudit, goldens: Path) -> list[Finding]:
    """What differs from the reviewed picture, one finding a step."""
    path = file_of(audit, goldens)
    if not path.is_file():
        message = "look at it (explain sheet), then write its golden with `explain check --update`"
        return [Finding("golden-missing", audit.scene, 0, path.name, "no file", message)]
    golden = _read(path)
    findings: list[Finding] = []
    for step, lines in changes(golden, audit):
        more = f" … and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
        findings.append(
            Finding(
                "picture-changed",
                audit.scene,
                step,
                f"step {step}",
                f"{len(lines)} differences",
                "; ".join(lines[:_SHOWN]) + more + "; if it is meant, review it with `explain check --update`",
            )
        )
    return findings


def update(audit: SceneAudit, goldens: Path) -> list[str]:
    """Write the golden of a scene; returns what changed, a line each (empty: nothing)."""
    path = file_of(audit, goldens)
    lines = [f"{audit.scene}: new, {audit.steps} steps"]
    if path.is_file():
        lines = [f"{audit.scene} step {step}: {line}" for step, found in changes(_read(path), audit) for line in found]
    if lines:
        write_aside(path, _text(audit).encode())
    return lines


def changes(golden: dict[str, Any], audit: SceneAudit) -> Iterator[tuple[int, list[str]]]:
    """Step → what is different, in words."""
    old = {step["step"]: step["things"] for step in golden["steps"]}
    new = {step["step"]: step["things"] for step in audit.fingerprint["steps"]}
    for step in sorted({*old, *new}):
        lines = [] if step in old and step in new else [f"step {'gone' if step in old else 'new'}"]
        lines += list(_differences(old.get(step, []), new.get(step, []))) if not lines else []
        if step == max(new, default=0) and (far := _thumbnails_differ(golden["thumbnail"], audit.thumbnail)):
            lines.append(far)
        if lines:
            yield step, lines


def _differences(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> Iterator[str]:
    """Things matched by kind and words, then by place."""
    left = list(new)
    for thing in old:
        alike = [other for other in left if _key(other) == _key(thing)]
        if not alike:
            yield f"gone: {_line(thing)}"
            continue
        other = min(alike, key=lambda candidate: _away(candidate, thing))
        left.remove(other)
        if _away(other, thing) > _MOVED:
            yield f"moved by {_away(other, thing):.2f}: {_line(other)}"
        if not _same_colours(thing["colours"], other["colours"]):
            yield f"colours {' '.join(thing['colours'])} → {' '.join(other['colours'])}: {_line(other)}"
    for thing in left:
        yield f"new: {_line(thing)}"


def _key(thing: dict[str, Any]) -> tuple[str, ...]:
    return thing["kind"], thing.get("text", ""), thing.get("of", "")


def _line(thing: dict[str, Any]) -> str:
    where = ", ".join(f"{value:g}" for value in thing["box"])
    return f"{thing['kind']} {thing.get('text') or thing.get('of', '')!r} at ({where})"


def _away(one: dict[str, Any], two: dict[str, Any]) -> float:
    return max(abs(a - b) for a, b in zip(one["box"], two["box"], strict=True))


def _same_colours(old: list[str], new: list[str]) -> bool:
    if len(old) != len(new):
        return False
    return all(_shade(a, b) for a, b in zip(old, new, strict=True))


def _shade(one: str, two: str) -> bool:
    if one == two:
        return True
    a, b = one.lstrip("/"), two.lstrip("/")
    if one.startswith("/") != two.startswith("/") or a[:1] != "#" or b[:1] != "#":
        return False
    away = max(abs(int(a[i : i + 2], 16) - int(b[i : i + 2], 16)) for i in (1, 3, 5))
    return away <= _SHADE and abs(_percent(a) - _percent(b)) <= 2


def _percent(colour: str) -> float:
    _, _, share = colour.partition(" ")
    return float(share.rstrip("%")) if share else 100.0


def _thumbnails_differ(old: list[str], new: list[list[list[int]]]) -> str:
    if not old or not new:
        return "" if bool(old) == bool(new) else "thumbnail missing"
    before = np.array([[int(row[i : i + 2], 16) for i in range(0, len(row), 2)] for row in old], dtype=float)
    after = np.asarray(new, dtype=float).reshape(before.shape)
    away = np.abs(before - after)
    height, width = away.shape[0] // 3 * 3, away.shape[1] // 9 * 9
    blocks = away[:height, :width].reshape(height // 3, 3, width // 9, 9).mean(axis=(1, 3))
    if away.mean() > _THUMBNAIL_MEAN or blocks.max() > _THUMBNAIL_BLOCK:
        return f"thumbnail: mean difference {away.mean():.1f}, largest block {blocks.max():.0f} (of 255)"
    return ""


def _text(audit: SceneAudit) -> str:
    """The golden as JSON that reads well in a review: one thing a line."""
    steps = []
    for step in audit.fingerprint["steps"]:
        things = ",\n".join("    " + json.dumps(thing, ensure_ascii=False) for thing in step["things"])
        steps.append(f'  {{"step": {step["step"]}, "things": [\n{things}\n  ]}}')
    rows = ["".join(f"{channel:02X}" for pixel in row for channel in pixel) for row in audit.thumbnail]
    thumbnail = ",\n".join(f'  "{row}"' for row in rows)
    joined = ",\n".join(steps)
    return f'{{"scene": {json.dumps(audit.scene)},\n "steps": [\n{joined}\n ],\n "thumbnail": [\n{thumbnail}\n ]}}\n'


def _read(path: Path) -> dict[str, Any]:
    try:
        golden: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return {"steps": golden["steps"], "thumbnail": golden["thumbnail"]}
    except (ValueError, KeyError) as error:
        raise ExplainError(f"cannot read the golden {path} ({error}); write it again with --update") from error
