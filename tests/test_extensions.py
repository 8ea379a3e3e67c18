"""A sample package, really installed: its run, kit object, course, theme, check and voice work without a fork."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from explainers import extensions
from explainers.errors import ExplainError

ROOT = Path(__file__).resolve().parents[1]
Call = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Call:
    """Python with the sample installed by pip into a folder of its own, without network."""
    place = tmp_path_factory.mktemp("installed")
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check", "--target", str(place)]
    command = [sys.executable, "-m", "pip", "install", "-q", *options, str(ROOT / "tests" / "extension")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    cache = tmp_path_factory.mktemp("cache")

    def call(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        paths = os.pathsep.join([str(ROOT), str(place)])
        environment = {**os.environ, "PYTHONPATH": paths, "EXPLAIN_CACHE": str(cache), **more}
        command = [sys.executable, "-P", *arguments]
        return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)

    return call


def test_a_run_is_in_the_catalogue_and_computes(python: Call) -> None:
    listed = python("-m", "scenes.cli", "run", "list")
    assert "from the package explain-sample" in listed.stdout, listed.stderr
    done = python("-m", "scenes.cli", "run", "sample_cache", "--json")
    assert json.loads(done.stdout)["quantities"]["per_token"]["value"] == (512 + 64) * 61 * 2


def test_a_kit_object_comes_from_the_kit_and_follows_its_data(python: Call) -> None:
    program = (
        "from scenes.kit import Lamp\nfrom explainers.quantities import computed\n"
        "lamp = Lamp(computed(0.25, '', 'made up'))\nprint(lamp[0].get_fill_opacity(), "
        "lamp.rebind(computed(0.5, '', 'made up'))[0].get_fill_opacity())"
    )
    assert python("-c", program).stdout.split() == ["0.25", "0.5"]


def test_a_theme_is_chosen_by_its_name(python: Call) -> None:
    program = "from scenes.kit import theme; print(theme.colour('ground'), theme.theme().name)"
    assert python("-c", program, EXPLAIN_THEME="sepia").stdout.split() == ["#F4ECD8", "sepia"]
    wrong = python("-c", program, EXPLAIN_THEME="sepiah")
    assert "did you mean sepia" in wrong.stderr


def test_a_course_is_chosen_and_its_scene_judged_by_the_check_too(python: Call) -> None:
    listed = json.loads(python("-m", "scenes.cli", "list", "--json", EXPLAIN_COURSE="sample").stdout)
    assert [lecture["title"] for lecture in listed] == ["A lecture from outside"]
    done = python("-m", "scenes.cli", "check", "ALamp", "--json", "--no-goldens", EXPLAIN_COURSE="sample")
    found = {finding["code"]: finding for finding in json.loads(done.stdout)["findings"]}
    assert found["shouting"]["measure"] == "6 capitals"
    assert "scene-fails" not in found
    wrong = python("-m", "scenes.cli", "list", EXPLAIN_COURSE="smaple")
    assert wrong.stderr.strip() == "error: unknown course 'smaple'; did you mean sample?"


def test_a_voice_speaks_a_film(python: Call, tmp_path: Path) -> None:
    options = ["--quality", "480p", "--fps", "5", "--out", str(tmp_path), "--voice"]
    done = python("-m", "scenes.cli", "render", "ALamp", *options, "hum", EXPLAIN_COURSE="sample")
    assert done.returncode == 0, done.stderr
    (film,) = tmp_path.rglob("*.mp4")
    with av.open(str(film)) as file:
        sound = np.concatenate([frame.to_ndarray().ravel() for frame in file.decode(audio=0)])
        seconds = file.streams.video[0].frames / 5
    assert np.abs(sound).max() > 0.05
    manifest = json.loads(next(tmp_path.rglob("manifest.json")).read_text("utf-8"))
    words = sum(len(step["narration"].split()) for scene in manifest["scenes"] for step in scene["steps"])
    assert words * 0.36 < seconds < words * 0.36 + 6  # a note and a pause a word, and the stillness after each step
    wrong = python("-m", "scenes.cli", "render", "ALamp", *options, "hmu", EXPLAIN_COURSE="sample")
    assert "hum" in wrong.stderr
    assert wrong.returncode == 1


def test_a_package_that_does_not_import_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import EntryPoint

    broken = EntryPoint("lamp", "no_such_module_here:Lamp", "explain.kit")
    monkeypatch.setattr(extensions, "offered", lambda group: {"lamp": broken})
    with pytest.raises(ExplainError, match="pip uninstall no_such_module_here"):
        extensions.load("explain.kit", "lamp")


def test_two_packages_with_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import EntryPoint

    pair = [EntryPoint("x", f"{name}:x", "explain.test") for name in ("one", "two")]
    monkeypatch.setattr(extensions, "entry_points", lambda group: pair)
    with pytest.raises(ExplainError, match="uninstall one of them"):
        extensions.offered("explain.test")


# ---------------------------------------------------------------------- elsewhere than in the course
PLAIN = """
from manim import Scene
from explainers.references import resolve
from scenes.kit import NumberLabel, role

class Plain(Scene):
    def construct(self):
        self.camera.background_color = role("ground")
        self.add(NumberLabel(resolve("v3.kv_bytes_per_token"), "si", role="latent"))
        self.wait(0.2)
"""


def test_the_kit_works_in_a_plain_manim_file(tmp_path: Path, python: Call) -> None:
    (tmp_path / "plain.py").write_text(PLAIN, "utf-8")
    media = tmp_path / "media"
    done = python("-m", "manim", "-s", "-ql", "--media_dir", str(media), str(tmp_path / "plain.py"), "Plain")
    assert done.returncode == 0, done.stderr
    (picture,) = media.rglob("*.png")
    assert picture.stat().st_size > 1000


def test_the_kit_works_in_a_notebook_cell(python: Call) -> None:
    pytest.importorskip("IPython", reason="IPython is not installed; pip install ipython tries %%manim too")
    cell = PLAIN.replace("from manim import Scene\n", "")
    program = (
        "from IPython.testing.globalipapp import start_ipython\nshell = start_ipython()\n"
        "shell.run_cell('from manim import *')\n"
        f"shell.run_cell_magic('manim', '-ql -s --media_dir notebook Plain', {cell!r})\n"
        "from pathlib import Path; print('PICTURES', [path.stat().st_size for path in Path('notebook').rglob('*.png')])"
    )
    done = python("-c", program)
    assert done.returncode == 0, done.stderr
    sizes = json.loads(done.stdout.partition("PICTURES")[2])  # Manim keeps one, the notebook shows a copy
    assert sizes and min(sizes) > 1000
