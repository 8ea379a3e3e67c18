"""Where weights come from: the name of a shipped model, a folder of ours, or ``checkpoint:PATH`` of a released model.

Without torch, so that pictures can say which model they show.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from explainers.errors import ExplainError

PREFIX = "checkpoint:"
#: ``model_type`` of config.json → key of the family; V2 and V2-Lite share theirs.
FAMILIES = {
    "deepseek": "moe16b",
    "deepseek_v2": "v2",
    "deepseek_v3": "v3",
    "deepseek_v32": "v3_2",
    "deepseek_v4": "v4",
}
TITLES = {
    "moe16b": "DeepSeekMoE 16B",
    "v2": "DeepSeek-V2",
    "v2_lite": "DeepSeek-V2-Lite",
    "v3": "DeepSeek-V3",
    "v3_2": "DeepSeek-V3.2",
    "v4": "DeepSeek-V4",
}


@dataclass(frozen=True)
class Source:
    """``checkpoint:PATH#N``: the folder, and how many layers from the first are read (None: a few, see `released`)."""

    path: Path
    layers: int | None = None
    every: bool = False


def is_checkpoint(source: str) -> bool:
    """Whether a source names a released model."""
    return source.startswith(PREFIX)


def parse(source: str) -> Source:
    """``"checkpoint:/models/V2-Lite#8"`` → folder and layers; ``#all`` reads every layer."""
    path, mark, count = source.removeprefix(PREFIX).partition("#")
    if not path:
        raise ExplainError(f"{source!r} names no folder; write checkpoint:/path/to/model")
    if not mark:
        return Source(Path(path).expanduser())
    if count == "all":
        return Source(Path(path).expanduser(), every=True)
    if not count.isdigit() or int(count) < 1:
        raise ExplainError(f"{source!r}: {count!r} is no number of layers; write #4, or #all")
    return Source(Path(path).expanduser(), int(count))


def family_of(config: dict[str, object]) -> str:
    """The key of the family that a ``config.json`` describes."""
    kind = str(config.get("model_type", ""))
    if kind not in FAMILIES:
        known = "DeepSeekMoE 16B, V2, V2-Lite, V3, R1, V3.2 and V4"
        raise ExplainError(f"config.json says model_type {kind!r}; checkpoints of {known} can be read")
    family = FAMILIES[kind]
    return "v2_lite" if family == "v2" and config.get("q_lora_rank") is None else family


@cache
def describe(source: str) -> str:
    """What to call the model in a picture: its folder's name, and its family where that does not say it."""
    if not is_checkpoint(source):
        return source
    path = parse(source).path
    try:
        title = TITLES[family_of(json.loads((path / "config.json").read_text(encoding="utf-8")))]
    except (OSError, ValueError) as error:
        raise ExplainError(f"cannot read {path / 'config.json'} ({error}); give the folder of a model") from error
    name = path.resolve().name
    return name if title.lower().replace(" ", "-") in name.lower() else f"{name}, {title} format"


def fingerprint(source: str) -> str:
    """Changes when a checkpoint's configuration changes or a file of it is replaced."""
    folder = parse(source).path
    config = folder / "config.json"
    about = [config.read_text(encoding="utf-8", errors="replace") if config.is_file() else ""]
    for path in sorted([*folder.glob("*.safetensors"), *folder.glob("*.json")]):
        state = path.stat()
        about.append(f"{path.name} {state.st_size} {state.st_mtime_ns}")
    return hashlib.sha256("\n".join(about).encode()).hexdigest()[:16]


def refused(run: str, source: str) -> ExplainError:
    """Which sources a run takes, where it takes no checkpoint."""
    return ExplainError(
        f"run {run!r} does not take {source!r}: it reads the small models (small, small_mha, or a folder made by "
        "`explain train`); leave --source out for it"
    )
