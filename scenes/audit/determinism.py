"""Determinism: the same scene again, in another process, with another hash seed and cold caches, must be the same."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from explainers import paths
from explainers.errors import ExplainError
from scenes.audit.findings import Finding
from scenes.audit.walking import SceneAudit
from scenes.registry import Course, SceneEntry

_AGAIN = """
import json, sys
from pathlib import Path
from scenes.audit.determinism import stamp
from scenes.audit.walking import audit
from scenes.registry import Course
scripts, scenes, lang, names = json.loads(sys.argv[1])
course = Course(Path(scripts), Path(scenes), lang)
for key in names:
    number, _, name = key.partition("/")
    again = audit(course.entry(course.lecture(int(number)), name))
    print("digest", key, again.digest, stamp(course), flush=True)
"""


def stamp(course: Course) -> str:
    """Changes whenever a file changes that a scene can depend on."""
    root = Path(__file__).resolve().parents[2]
    folders = [root / "scenes", root / "explainers", paths.assets(), course.scripts, course.scenes]
    files = {
        file
        for folder in folders
        for kind in ("*.py", "*.toml", "*.md", "*.txt", "*.safetensors", "*.json")
        for file in folder.rglob(kind)
    }
    states = sorted(f"{file} {file.stat().st_mtime_ns}" for file in files if file.is_file())
    return hashlib.blake2b("\n".join(states).encode(), digest_size=8).hexdigest()


def digests_again(
    entries: Sequence[SceneEntry], course: Course, *, seed: int = 4242, cold: bool = False
) -> dict[str, tuple[str, str]]:
    """Scene → digest of its pixels at the end of steps, its motions and its report, and `stamp`, from a fresh process.

    Parameters
    ----------
    seed
        ``PYTHONHASHSEED`` of that process.
    cold
        Whether runs are computed again in an empty cache.
    """
    arguments = json.dumps([str(course.scripts), str(course.scenes), course.lang, [entry.key for entry in entries]])
    with tempfile.TemporaryDirectory(prefix="explain-again-") as scratch:
        environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
        root = str(Path(__file__).resolve().parents[2])
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
        if cold:
            environment["EXPLAIN_CACHE"] = str(Path(scratch) / "cache")
        done = subprocess.run(
            [sys.executable, "-c", _AGAIN, arguments], env=environment, capture_output=True, text=True, check=False
        )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise ExplainError(f"the second run of {', '.join(entry.key for entry in entries)} failed: {last}")
    lines = [line.split(" ") for line in done.stdout.splitlines() if line.startswith("digest ")]
    return {key: (digest, state) for _, key, digest, state in lines}


def compare(
    audits: Sequence[SceneAudit], again: dict[str, tuple[str, str]], how: str, before: str
) -> tuple[list[Finding], list[str]]:
    """A finding for each scene whose second run differs; a note instead where files changed since ``before``."""
    findings: list[Finding] = []
    notes: list[str] = []
    for audit in audits:
        digest, state = again.get(audit.scene, (audit.digest, before))
        if not audit.digest or digest == audit.digest:
            continue
        if state != before:
            notes.append(f"determinism of {audit.scene} not judged: files changed during the check")
            continue
        findings.append(
            Finding(
                "not-deterministic",
                audit.scene,
                0,
                "frames and report",
                f"{audit.digest[:12]} ≠ {digest[:12]}, {how}",
                "something depends on the order of a set, on a hash, a clock or an unseeded random number",
            )
        )
    return findings, notes
