"""Small pieces of the Markdown that Sphinx reads here (MyST)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; bars inside cells are escaped."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines
    )


def fence(language: str, text: str, **options: str) -> str:
    """A fenced block, or with ``options`` the directive of that name; the fence is longer than any inside."""
    ticks = "`" * max([3, *(len(run) + 1 for run in re.findall(r"`{3,}", text))])
    head = "".join(f":{name}: {value}\n" for name, value in options.items())
    return f"{ticks}{language}\n{head}{text.rstrip()}\n{ticks}"


def image(path: str, alt: str) -> str:
    """A picture with its words for those who do not see it."""
    return f"![{plain(alt)}]({path})"


def gallery(cards: Iterable[tuple[str, str, str]]) -> str:
    """Cards (picture, title, page) beside one another."""
    inside = "\n\n".join(f"[![]({picture}) {title}]({page})" for picture, title, page in cards)
    return f":::{{container}} gallery\n{inside}\n:::"


def toctree(pages: Iterable[str]) -> str:
    """What belongs below a page, in order; the theme shows it beside all pages."""
    return fence("{toctree}", "\n".join(pages), hidden="", maxdepth="1")


def rst(text: str) -> str:
    """A part that is written in reStructuredText."""
    return fence("{eval-rst}", text)


def plain(text: str) -> str:
    """Words without marks, for a description of a picture."""
    return re.sub(r"[`\[\]*_]", "", " ".join(text.split()))
