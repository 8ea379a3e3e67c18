"""The bench measures a real scene, and its sums are those of its scenes."""

from __future__ import annotations

import pytest

from scenes.production.bench import SceneBench, Usage, bench, line, makespan, summary
from scenes.production.settings import Options, Picture


def scene(name: str, *, stock: float | None, ours: float, encode: float) -> SceneBench:
    theirs = Usage(stock, 2 * stock, 700) if stock else None
    size = 1000 if stock else None
    return SceneBench(name, 10.0, 600, theirs, Usage(ours, ours, 200), size, 1100, encode, 1.0)


def test_ratios_are_those_of_the_whole_render() -> None:
    scenes = [scene("1/A", stock=30, ours=8, encode=2), scene("1/B", stock=50, ours=9, encode=3)]
    found = summary(scenes, Usage(10, 18, 250), 2, Picture(1920, 1080, 60))
    assert found["ratio"] == 80 / 10 and found["playing_ratio"] == 10 / 20
    assert found["floor"] == 3 and found["floor_ratio"] == 10 / 3  # side by side: the longer of the two
    assert found["size_ratio"] == pytest.approx(1.1)
    assert found["stock"]["cpu"] == 160 and found["ours"]["peak"] == 250


def test_without_stock_only_the_floor_is_told() -> None:
    alone = scene("1/A", stock=None, ours=8, encode=2)
    found = summary([alone], Usage(9, 9, 250), 2, Picture(1920, 1080, 60))
    assert found["stock"] is found["ratio"] is found["size_ratio"] is None
    assert found["floor_ratio"] == 4.5
    assert "stock" not in line(alone) and "2.0 s to encode" in line(alone)


def test_jobs_go_to_whoever_is_free_the_longest_first() -> None:
    assert makespan([3, 3, 2, 2, 2], 2) == 7
    assert makespan([5], 8) == 5


def test_a_real_scene_is_measured() -> None:
    said: list[str] = []
    found = bench(["5/ScoreEnd"], Options(quality="480p", fps=15), said.append, stock=False)
    (measured,) = found["scenes"]
    assert measured["frames"] == found["frames"] == 15 * found["playing_seconds"]
    assert 0 < measured["encode"] < measured["ours"]["wall"]
    assert 0 < measured["first_frame"] < measured["ours"]["wall"]
    assert found["floor_ratio"] > 1 and found["size"] > 1000
    assert len(said) == 1 and "5/ScoreEnd" in said[0]
