"""A part is trusted only whole, with its checksums, and while what it read is unchanged."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from explainers import references
from explainers.quantities import Cited, Quantity
from scenes.door import number_read
from scenes.production import cache
from scenes.report import SceneReport

NUMBER = Quantity(37, "", Cited("paper", "2024"))


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLAIN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(references, "resolve", lambda name: NUMBER)


def sealed(folder: Path, number: Quantity = NUMBER, video: bytes = b"video") -> Path:
    folder.mkdir(parents=True)
    (folder / "scene.mp4").write_bytes(video)
    (folder / "poster.png").write_bytes(b"poster")
    read = number_read("v3.x", number)
    cache.write_part(folder, SceneReport(9, "A", "A", 15, (), (read.to_json(),)))
    return folder


def test_a_kept_part_is_found_with_its_report() -> None:
    with cache.workspace() as work:
        kept = cache.keep("k", sealed(work / "part"))
    assert list((cache.root() / "work").iterdir()) == []
    found = cache.find("k")
    assert found == kept
    assert found.video.read_bytes() == b"video"
    assert cache.find("other") is None


@pytest.mark.parametrize("damage", ["scene.mp4", "poster.png", "part.json", "truncated", "missing"])
def test_a_damaged_part_is_not_used_and_goes(damage: str) -> None:
    with cache.workspace() as work:
        folder = cache.keep("k", sealed(work / "part")).folder
    if damage == "missing":
        (folder / "scene.mp4").unlink()
    elif damage == "truncated":
        (folder / "part.json").write_text((folder / "part.json").read_text()[:-40])
    else:
        content = (folder / damage).read_bytes()
        (folder / damage).write_bytes(content.replace(b"video", b"vidEo").replace(b"poster", b"pOster"))
        if damage == "part.json":
            (folder / damage).write_bytes(content.replace(b'"ticks": 15', b'"ticks": 30'))
    assert cache.find("k") is None
    assert not folder.exists()


def test_a_part_that_read_another_value_is_passed_over_but_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    with cache.workspace() as work:
        first = cache.keep("k", sealed(work / "a"))
        other = Quantity(38, "", Cited("paper", "2024"))
        monkeypatch.setattr(references, "resolve", lambda name: other)
        assert cache.find("k") is None
        second = cache.keep("k", sealed(work / "b", other, b"other"))
    assert cache.find("k") == second
    monkeypatch.setattr(references, "resolve", lambda name: NUMBER)
    assert cache.find("k") == first


def test_what_killed_processes_left_is_swept_away() -> None:
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    here = platform.node()
    left = cache.root() / "work" / f"{done.pid}@{here}-abc"
    ours = cache.root() / "work" / f"{os.getpid()}@{here}-def"
    theirs = [cache.root() / "work" / f"{done.pid}@{there}-ghi" for there in ("an-other.machine", f"{here}-2")]
    for folder in (left, ours, *theirs):
        folder.mkdir(parents=True)
    with cache.workspace() as work:
        assert work.is_dir()
        assert not left.exists()
        assert ours.exists(), "another render of a living process is left alone"
        assert all(folder.exists() for folder in theirs), (
            "and so is one of a machine that shares the disk: whether it lives is not known here"
        )
        assert work.name.startswith(f"{os.getpid()}@{here}-")


def test_pruning_keeps_what_was_used_last() -> None:
    with cache.workspace() as work:
        for name in ("a", "b", "c"):
            cache.keep(name, sealed(work / name, video=b"x" * 1000))
    for age, name in enumerate(("b", "c", "a")):
        (folder,) = (cache.root() / "parts" / name).iterdir()
        os.utime(folder, (1e9 - age, 1e9 - age))
    cache.prune(4000)
    assert [cache.find(name) is not None for name in ("a", "b", "c")] == [False, True, True]
