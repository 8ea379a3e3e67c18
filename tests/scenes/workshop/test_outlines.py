"""Processes of one watch set the same words and formulas at the same time, and are killed while they do."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import svgelements
from manim import Text, config

from scenes.kit.text import Formula, Label, glyph_outlines
from scenes.workshop import outlines
from scenes.workshop.performing import configured


@pytest.fixture(autouse=True)
def own_temporary_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `take_own` sets for a process is taken back after each test."""
    monkeypatch.setattr(tempfile, "tempdir", tempfile.tempdir)


pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="watch stands on os.fork")


def elsewhere(work: Callable[[], None]) -> int:
    """Do it in a fork, and wait; its exit status."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def forget() -> None:
    """As in a process that has set nothing yet."""
    from manim.mobject.svg.svg_mobject import SVG_HASH_TO_MOB_MAP

    SVG_HASH_TO_MOB_MAP.clear()


@pytest.mark.parametrize("set_something", [lambda: Text("keys"), lambda: Formula("a + b")], ids=["words", "formula"])
def test_another_process_may_set_the_same_at_the_same_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, set_something: Callable[[], Any]
) -> None:
    statuses: list[int] = []
    original = svgelements.SVG.parse

    def in_the_other() -> None:
        monkeypatch.setattr(svgelements.SVG, "parse", original)
        outlines.take_own(tmp_path)
        forget()
        set_something()

    def parse(*given: Any, **options: Any) -> Any:
        """Manim has written what it reads now, and not yet removed it: the worst moment."""
        if not statuses:
            statuses.append(elsewhere(in_the_other))
        return original(*given, **options)

    monkeypatch.setattr(svgelements.SVG, "parse", parse)
    forget()
    with configured(tmp_path, "480p"):
        set_something()
    assert statuses == [0]


def test_what_a_killed_process_left_half_is_not_read(tmp_path: Path) -> None:
    def killed() -> None:
        with configured(tmp_path, "480p"), pytest.MonkeyPatch.context() as patch:
            original = Path.write_bytes

            def write_half(path: Path, data: bytes) -> int:
                original(path, data[: len(data) // 2])
                os._exit(9)

            patch.setattr(Path, "write_bytes", write_half)
            Formula("a + b")

    forget()
    assert elsewhere(killed) == 9
    (half,) = tmp_path.rglob("*.svg")
    with configured(tmp_path, "480p"):
        assert not half.exists(), "what the dead have left goes"
        assert Formula("a + b").family_members_with_points()


def test_a_formula_is_set_once_for_all_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import typst

    def first() -> None:
        with configured(tmp_path, "480p"):
            Formula("a + b")
            outlines.share(tmp_path)

    forget()
    assert elsewhere(first) == 0
    monkeypatch.setattr(typst, "compile", lambda *given, **options: pytest.fail("it was set again"))
    with configured(tmp_path, "480p"):
        Formula("a + b")


def test_a_fork_has_another_folder_than_its_parent(tmp_path: Path) -> None:
    def fork() -> None:
        before = config.get_dir("tex_dir")
        outlines.take_own(tmp_path)
        assert config.get_dir("tex_dir") != before
        assert tempfile.gettempdir() == config.media_dir
        assert before.parent.is_dir(), "its parent is at work there"

    with configured(tmp_path, "480p"):
        Formula("a + b")
        assert elsewhere(fork) == 0


def test_words_need_no_folder_of_manims(tmp_path: Path) -> None:
    glyph_outlines.cache_clear()
    with configured(tmp_path, "480p"):
        Label("keys")
    assert list(tmp_path.rglob("*.svg")) == []
