"""The tutorial: its blocks are executed one after the other in a copy of the project, and what comes out is shown.

A block is a fence of ``scenes/docs/pages/tutorial.md``. ``sh`` is run; ``python FILE`` becomes that file; ``markdown
FILE`` takes the place of the section with the same ``{#Name}`` in that script. Pictures ``out/…`` are what the blocks
before them drew.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from explainers.errors import ExplainError
from explainers.traces import write_aside
from scenes.docs import markdown

PAGE = Path(__file__).with_name("pages") / "tutorial.md"
_ROOT = Path(__file__).resolve().parents[2]
_COPIED = ("assets", "explainers", "lecture_scripts", "scenes", "tests", "pyproject.toml", "CONTRIBUTING.md")
_FENCE = re.compile(r"^```(\w+)(?: ([\w./]+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PICTURE = re.compile(r"(!\[[^\]]*\]\()(out/[^)]+)\)")
_LINES = 24  # of an output; more are left out in its middle


@dataclass(frozen=True)
class Block:
    """A fence of the page: its language, the file that it is, and its text; ``span`` is its place in the page."""

    language: str
    file: str
    text: str
    span: tuple[int, int]


def blocks(page: str) -> Iterator[Block]:
    """The fences of a page, in order."""
    for match in _FENCE.finditer(page):
        yield Block(match[1], match[2] or "", match[3], match.span())


@dataclass(frozen=True)
class Copy:
    """A copy of the project in ``folder``, with a history of one commit, in which the blocks are executed."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> Copy:
        """Copy what a clone has; ``./explain`` there calls this Python instead of making a new environment."""
        for name in _COPIED:
            ignored = shutil.ignore_patterns("__pycache__", "*.pyc", "node_modules")
            if (_ROOT / name).is_dir():
                shutil.copytree(_ROOT / name, folder / name, ignore=ignored)
            else:
                shutil.copy(_ROOT / name, folder / name)
        home = 'export PYTHONPATH="$(cd "$(dirname "$0")" && pwd)"'
        python = f'#!/bin/sh\n{home}\nexec {shlex.quote(sys.executable)} -P -m scenes.cli "$@"\n'
        (folder / "explain").write_text(python, encoding="utf-8")
        (folder / "explain").chmod(0o755)
        (folder / ".gitignore").write_text("/out/\n/.cache/\n__pycache__/\n", encoding="utf-8")
        copy = cls(folder)
        copy.shell("git init -q -b main && git add -A && git commit -q -m 'The project as it is'")
        return copy

    def execute(self, block: Block) -> str:
        """What a block prints; an `ExplainError` names the block that fails."""
        if block.language == "sh":
            return self.shell(block.text)
        path = self.folder / block.file
        if block.language == "markdown":
            write_aside(path, _with_section(path.read_text(encoding="utf-8"), block.text).encode())
        elif block.language == "python" and block.file:
            write_aside(path, block.text.encode())
        else:
            raise ExplainError(
                f"the tutorial has a block of {block.language} that nobody can execute: {block.text[:60]!r}"
            )
        return ""

    def shell(self, commands: str) -> str:
        """Run lines of shell, as the user types them, and give what they print."""
        who = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER")
               for what, value in (("NAME", "A contributor"), ("EMAIL", "you@example.org"))}  # fmt: skip
        env = {**os.environ, **who, "EXPLAIN_CACHE": str(self.folder / ".cache")}
        for name in ("EXPLAIN_COURSE", "EXPLAIN_CONTEXT", "GIT_DIR", "GIT_WORK_TREE"):
            env.pop(name, None)
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", commands],
            cwd=self.folder,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ExplainError(f"a block of the tutorial failed: {commands.strip()!r}: {done.stdout[-600:]}")
        return done.stdout.replace(f"{self.folder}/", "")


def _with_section(script: str, section: str) -> str:
    """The script with this section instead of the one of the same name."""
    name = re.search(r"\{#(\w+)\}", section)
    if name is None:
        raise ExplainError("a block of the tutorial that is a section of a script has no {#Name}")
    old = re.search(rf"^## [^\n]*\{{#{name[1]}\}}.*?(?=^## |\Z)", script, re.MULTILINE | re.DOTALL)
    if old is None:
        raise ExplainError(f"the script has no section {name[1]} for a block of the tutorial")
    rest = script[old.end() :]
    return script[: old.start()] + section.rstrip() + "\n" + (f"\n{rest}" if rest else "")


def executed(copy: Copy, page: str) -> str:
    """The page with the output of each block below it."""
    parts, at = [], 0
    for block in blocks(page):
        output = copy.execute(block)
        options = {"caption": block.file} if block.file else {}
        shown = markdown.fence(
            f"{{code-block}} {block.language}", "\n" + block.text if options else block.text, **options
        )
        parts += [page[at : block.span[0]], shown]
        if output.strip():
            parts.append("\n\n" + markdown.fence("text", _shortened(output)))
        at = block.span[1]
    return "".join([*parts, page[at:]])


def _shortened(output: str) -> str:
    lines = re.sub(r"\x1b\[[\d;]*m", "", output).strip("\n").splitlines()
    if len(lines) <= _LINES:
        return "\n".join(lines)
    return "\n".join([*lines[: _LINES - 8], f"… {len(lines) - _LINES + 1} lines more …", *lines[-7:]])


def write(source: Path, folder: Path) -> None:
    """Execute the tutorial in ``folder`` and write ``tutorial.md`` with its pictures."""
    copy = Copy.make(folder)
    text = executed(copy, PAGE.read_text(encoding="utf-8"))
    (source / "tutorial").mkdir(parents=True, exist_ok=True)

    def kept(match: re.Match[str]) -> str:
        file = copy.folder / match[2]
        if not file.is_file():
            raise ExplainError(f"the tutorial shows {match[2]}, which none of its blocks made")
        name = match[2].removeprefix("out/").replace("/", "-")
        shutil.copy(file, source / "tutorial" / name)
        return f"{match[1]}tutorial/{name})"

    (source / "tutorial.md").write_text(_PICTURE.sub(kept, text), encoding="utf-8")
