"""A lecture that was rendered: nothing changed, and one paragraph changed. What it costs besides drawing the scene.

Seconds are counted in work, not on the wall, so that a busy machine is no mistake.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from explainers import paths
from scenes import citations
from scenes.production import Options, render
from scenes.registry import Course

ROOT = Path(__file__).resolve().parents[3]
AGAIN = """
import sys, time
from pathlib import Path
from scenes.production import Options, render
from scenes.registry import Course
scripts, scenes, out = map(Path, sys.argv[1:4])
(film,) = render(["3"], Options(quality="480p", fps=5, out=out, jobs=2), course=Course(scripts, scenes))
print(len(film.rendered), *film.rendered, time.process_time(), "torch" in sys.modules)
"""


def again(course: Course, out: Path) -> tuple[list[str], float]:
    """Render lecture 3 in a new process: what was drawn, and the seconds of work of that process alone."""
    command = [sys.executable, "-c", AGAIN, str(course.scripts), str(course.scenes), str(out)]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, capture_output=True, text=True
    )
    *drawn, seconds, torch = done.stdout.split()[1:]
    assert torch == "False"
    return drawn, float(seconds)


@pytest.mark.slow
def test_a_lecture_is_whole_again_in_three_seconds_and_its_scene(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPLAIN_CACHE", str(tmp_path / "cache"))
    shutil.copytree(paths.lecture_scripts(), tmp_path / "scripts")
    course = Course(tmp_path / "scripts", ROOT / "scenes" / "lectures")
    cited = citations.file_of(3, Course(tmp_path / "scripts", tmp_path / "scripts" / "en"))
    cited.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(citations.file_of(3), cited)
    render(["3"], Options(quality="480p", fps=5, out=tmp_path / "out", jobs=2), course=course)
    again(course, tmp_path / "out")
    drawn, seconds = again(course, tmp_path / "out")
    assert drawn == [] and seconds < 3
    (script,) = (tmp_path / "scripts" / "en").glob("3_*.md")
    said = "How does it remember them all?"
    text = script.read_text("utf-8")
    assert said in text
    script.write_text(text.replace(said, "How can it remember them all?"), "utf-8")
    drawn, seconds = again(course, tmp_path / "out")
    assert drawn == ["3/WhyAModelRemembers"] and seconds < 3
