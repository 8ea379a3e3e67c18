"""A training stage that can be killed at any moment and run again.

Everything that a stage draws at random depends on (seed, step) alone, and model, optimiser and curves are stored
together and moved into place whole. So a stage that was killed goes on from its last checkpoint and ends with the
same weights as one that was not.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn
from tqdm import tqdm

from explainers import paths, training
from explainers.errors import ExplainError
from explainers.traces import write_aside

Curves = dict[str, list[float]]


@dataclass
class Stage:
    """Model, optimisers and curves of one stage, and where they are kept.

    ``curves`` holds one list a measure; a step appends to those that it measured. ``done`` counts finished steps.
    """

    path: Path
    model: nn.Module
    optimizers: Sequence[torch.optim.Optimizer]
    curves: Curves = field(default_factory=dict)
    done: int = 0

    def resume(self) -> None:
        """Load the checkpoint where there is one."""
        if not self.path.is_file() or self.path.stat().st_mtime < training.ignore_states_before:
            return
        device = next(self.model.parameters()).device
        try:
            stored = torch.load(self.path, map_location=device, weights_only=True)
            self.model.load_state_dict(stored["model"])
            for optimizer, state in zip(self.optimizers, stored["optimizers"], strict=True):
                optimizer.load_state_dict(state)
            self.curves, self.done = stored["curves"], stored["done"]
        except Exception as error:  # torch.load raises a dozen kinds for a damaged file
            kind = type(error).__name__
            raise ExplainError(f"the checkpoint {self.path} cannot be read ({kind}); delete it") from error

    def save(self) -> None:
        """Write the checkpoint aside and move it into place."""
        buffer = io.BytesIO()
        torch.save(
            {
                "model": self.model.state_dict(),
                "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
                "curves": self.curves,
                "done": self.done,
            },
            buffer,
        )
        write_aside(self.path, buffer.getvalue())

    def run(self, name: str, steps: int, step: Callable[[int], Mapping[str, float]], every: int = 25) -> None:
        """Do the steps that are left, with a progress bar on a terminal; store every ``every`` steps and at the end."""
        self.resume()
        if self.done >= steps:
            return
        with tqdm(total=steps, initial=self.done, desc=name, disable=None, leave=False) as bar:
            while self.done < steps:
                for measure, value in step(self.done).items():
                    if value != value:
                        raise ExplainError(f"{name}: {measure} is {value} at step {self.done}; lower the learning rate")
                    self.curves.setdefault(measure, []).append(float(value))
                self.done += 1
                bar.update()
                if self.done % every == 0 or self.done == steps:
                    self.save()


def stage_path(name: str, about: Mapping[str, Any]) -> Path:
    """The checkpoint of a stage: another one for other settings, another torch or another version of the code."""
    digest = hashlib.sha256(json.dumps({**about, "torch": torch.__version__}, sort_keys=True).encode()).hexdigest()
    return paths.cache() / "train" / f"{name}-{digest[:16]}.pt"
