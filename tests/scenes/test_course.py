"""The course itself: every heading has its class, every paragraph its step, every mark somebody who waits for it."""

from __future__ import annotations

from scenes.registry import Course


def test_scripts_and_scenes_match_one_to_one() -> None:
    assert Course.default().mismatches() == []
