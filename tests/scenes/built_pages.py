"""A page that ships built: it is of the sources that lie beside it, and can be made of them again."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest


def assert_of_these_sources(web: Path, *built: Path) -> None:
    """Each file begins with the stamp of the sources in ``web``, as its ``build.mjs`` writes it."""
    digest = hashlib.sha256()
    names = {path.relative_to(web).as_posix() for path in (web / "src").rglob("*") if path.is_file()}
    for name in sorted(names | {"build.mjs", "package-lock.json"}):
        digest.update(f"{name}\0".encode() + (web / name).read_bytes())
    assert built
    for path in built:
        assert f"/* source {digest.hexdigest()} */" in path.read_text("utf-8"), (
            f"run `npm ci && npm run build` in {web}"
        )


def assert_built_again(web: Path, built: Path, folder: Path) -> None:
    """What is built into ``folder`` now is what ships, byte for byte."""
    if not shutil.which("node") or not (web / "node_modules" / "esbuild").is_dir():
        pytest.skip(f"Node or {web}/node_modules lacks: only who changes the page needs them")
    subprocess.run(["node", "build.mjs", str(folder)], cwd=web, check=True)
    for path in (path for path in folder.rglob("*") if path.is_file()):
        assert path.read_bytes() == (built / path.relative_to(folder)).read_bytes(), path.name
