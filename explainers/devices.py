"""Which device to compute on, and how to make a run repeatable there."""

from __future__ import annotations

import os
from dataclasses import dataclass

from explainers.errors import ExplainError


@dataclass(frozen=True)
class Torch:
    """The torch that is installed: its version, its threads, the names of the GPUs that it can use."""

    version: str
    threads: int
    gpus: tuple[str, ...]


def describe() -> Torch:
    """What torch is there; a product is computed, so that a broken build fails here and not in a run."""
    import torch

    torch.ones(2, 2) @ torch.ones(2, 2)
    found = range(torch.cuda.device_count()) if torch.cuda.is_available() else ()
    return Torch(torch.__version__, torch.get_num_threads(), tuple(torch.cuda.get_device_name(i) for i in found))


def resolve_device(name: str | None = "auto") -> str:
    """``"auto"`` → ``"cuda"`` where there is one, else ``"cpu"``; a device that is not there is an error."""
    import torch

    name = name or "auto"
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name != "cpu" and not name.startswith("cuda"):
        raise ExplainError(f"unknown device {name!r}; choose cpu, cuda or auto")
    if name.startswith("cuda"):
        if not torch.cuda.is_available():
            raise ExplainError("device 'cuda' is not there (torch sees no GPU); use --device cpu")
        index = name.partition(":")[2]
        if index and (not index.isdigit() or int(index) >= torch.cuda.device_count()):
            raise ExplainError(f"device {name!r} is not there; torch sees {torch.cuda.device_count()} GPU(s)")
    return name


def deterministic(seed: int) -> None:
    """Seed torch and ask for deterministic kernels (same machine, same device → same bits)."""
    import torch

    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True, warn_only=True)
