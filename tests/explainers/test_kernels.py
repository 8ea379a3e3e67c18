"""The kernels in Triton, held to float64 and to the chips' limits without a GPU (`kernels_without_a_gpu.py`).

They need Triton, which torch brings along only with CUDA: ``pip install triton`` adds it (1 GB). On a GPU
`test_engine.py` runs the same kernels for good.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).parent / "kernels_without_a_gpu.py"
#: The oldest whose interpreter works with today's NumPy.
OLDEST = (3, 7)


def why_not() -> str:
    """Why nothing can be tried here, or nothing."""
    try:
        found = version("triton")
    except PackageNotFoundError:
        return "no Triton here: pip install triton lets its interpreter run the kernels"
    old = tuple(int(part) for part in found.split(".")[:2]) < OLDEST
    return f"Triton {found} is older than {OLDEST[0]}.{OLDEST[1]}" if old else ""


pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())


def found(what: str, folder: Path, **environment: str) -> Any:
    """What the program prints; Triton's own cache stays out of the user's home."""
    around = os.environ | {"TRITON_CACHE_DIR": str(folder), "PYTHONPATH": os.pathsep.join(sys.path)} | environment
    done = subprocess.run(
        [sys.executable, "-P", PROGRAM, what], env=around, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_interpreted_kernels_compute_what_the_plain_ways_do(tmp_path: Path) -> None:
    near = {"float32": 1e-6, "float16": 1e-3, "bfloat16": 1e-2}
    errors = found("interpret", tmp_path, TRITON_INTERPRET="1")
    assert len(errors) == 10
    far = {name: error for name, error in errors.items() if not error < near[name.split(", ")[-1]]}
    assert not far, f"errors as shares of what is right: {far}"


def test_kernels_compile_and_fit_the_chips(tmp_path: Path) -> None:
    """For an A100, an RTX 4090 and an H100; a kernel that asks for more shared memory than there is would not start."""
    memory = found("compile", tmp_path, TRITON_INTERPRET="0")
    too_much = {name: sizes for name, sizes in memory.items() if not sizes[0] <= sizes[1]}
    assert not too_much, f"bytes of shared memory, wanted and there: {too_much}"
    assert memory["hopper on 90"][0] > 220_000  # two tiles are kept, as the kernel says
