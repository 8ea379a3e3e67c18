"""A notebook as people use it: a real kernel runs its cells, and ``%%manim`` draws with the kit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed; `./explain test` installs it")
nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed; `./explain test` installs it")
pytest.importorskip("ipykernel", reason="ipykernel is not installed; `./explain test` installs it")

ROOT = Path(__file__).resolve().parents[1]


def guide() -> tuple[str, str]:
    """The cell and the imports before it, as CONTRIBUTING shows them."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    cell = text.partition("```python\n%%manim")[2].partition("```")[0]
    imports = ["from manim import *", "from scenes.kit import NumberLabel", "from explainers.references import resolve"]
    assert all(f"`{line}`" in text for line in imports)
    return "\n".join(imports), f"%%manim{cell}"


def test_a_notebook_draws_what_contributing_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("EXPLAIN_CACHE", str(tmp_path / "cache"))
    imports, cell = guide()
    still = cell.replace("%%manim -ql", "%%manim -ql -s", 1)  # the last picture instead of a film
    cells = [nbformat.v4.new_code_cell(text) for text in (imports, still)]
    spec = {"kernelspec": {"name": "python3", "display_name": "Python", "language": "python"}}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=spec)
    done = nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = done.cells[1].outputs
    assert not [output for output in outputs if output.output_type == "error"]
    shown = [output.data for output in outputs if output.output_type == "display_data"]
    assert any("image/png" in data for data in shown), json.dumps(shown)[:400]
    assert any(path.stat().st_size > 1000 for path in tmp_path.rglob("*.png"))
