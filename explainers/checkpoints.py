"""Files of released models: safetensors, single or sharded with an index, BF16, FP8 with block scales, or packed FP4.

Nothing is read before it is asked for: opening reads the headers that say what is where, `Checkpoint.read` maps the one
tensor (memory-mapped by safetensors) and turns it into numbers. So one layer costs the memory of one layer, whatever
the whole model weighs. Only safetensors are read, which hold numbers and nothing that could run; pickles (``.bin``,
``.pt``) are refused, and code that comes with a checkpoint is never looked at.

FP8 as V3 ships it: ``X.weight`` in E4M3 with ``X.weight_scale_inv``, one float32 a block of 128 × 128 (V3 report,
section 3.3.2; ``weight_block_size`` of ``config.json``). V4 calls its scales ``X.scale``, in powers of two (E8M0), and
packs the experts' numbers two to a byte in FP4 (E2M1) with one scale a row and 32 columns.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from explainers.errors import ExplainError
from explainers.fp8 import dequantise

INDEX, SINGLE = "model.safetensors.index.json", "model.safetensors"
#: Files whose reading would run code.
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
_WHOLE = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}
_SCALED = {"F8_E4M3": 1, "I8": 1, "U8": 1}
_NUMBERS = {**_WHOLE, **_SCALED, "F8_E5M2": 1, "F8_E8M0": 1, "I64": 8, "I32": 4, "I16": 2, "BOOL": 1}
#: The sixteen values of FP4, E2M1: sign, two bits of exponent, one of fraction.
_E2M1 = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, -0.0, -0.5, -1.0, -1.5, -2.0, -3.0, -4.0, -6.0)
#: How names of V4 differ: as DeepSeek released them, and as transformers saves them.
_RENAMED = (
    (re.compile(r"^model\.(?!layers\.\d+\.(self_attn|mlp|input|post))"), ""),
    (re.compile(r"^embed_tokens\."), "embed."),
    (re.compile(r"^lm_head\."), "head."),
    (re.compile(r"^hc_head\.hc_"), "hc_head_"),
    (re.compile(r"\.attn\.norm\."), ".attn.kv_norm."),
)


@dataclass(frozen=True)
class Stored:
    """One tensor of a file: where, as what, how large."""

    name: str
    file: str
    dtype: str  # safetensors' own word, such as BF16 or F8_E4M3
    shape: tuple[int, ...]

    @property
    def numel(self) -> int:
        """Numbers stored."""
        count = 1
        for size in self.shape:
            count *= size
        return count

    @property
    def nbytes(self) -> int:
        """Bytes in the file."""
        return self.numel * _NUMBERS.get(self.dtype, 0)


class Checkpoint:
    """A folder with ``config.json`` and safetensors, opened but not read.

    Parameters
    ----------
    folder
        As a model hub gives it.

    Raises
    ------
    ExplainError
        Where something is missing, broken or of another kind: one line that names the file and the fix.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder).expanduser()
        self.config = read_config(self.folder)
        native = self.config.get("model_type") == "deepseek_v4"
        self._open: dict[str, Any] = {}
        self.index_total: int | None = None
        self.where = self._where()
        self._names = {_native(name) if native else name: name for name in self.where}

    # ------------------------------------------------------------------ what is there
    def _where(self) -> dict[str, str]:
        """Stored name → file."""
        index = self.folder / INDEX
        if index.is_file():
            about = _json(index)
            weight_map = about.get("weight_map")
            if not isinstance(weight_map, dict) or not all(isinstance(file, str) for file in weight_map.values()):
                raise ExplainError(f"{index} has no weight_map from tensors to files; download it again")
            if odd := sorted({file for file in weight_map.values() if Path(file).name != file}):
                raise ExplainError(f"{index} names {odd[0]!r}, which is not a file beside it; this index is refused")
            self.index_total = (about.get("metadata") or {}).get("total_size")
            return dict(weight_map)
        if (self.folder / SINGLE).is_file():
            return dict.fromkeys(self._file(SINGLE).keys(), SINGLE)
        if shards := sorted(self.folder.glob("*.safetensors")):
            raise ExplainError(f"{self.folder} has {shards[0].name} but no {INDEX}; download the index too")
        if pickles := sorted(path.name for kind in _PICKLES for path in self.folder.glob(kind)):
            raise ExplainError(
                f"{self.folder} holds {pickles[0]}, a pickle, which can run code when it is read; "
                "give the model as safetensors"
            )
        raise ExplainError(f"no {SINGLE} and no {INDEX} in {self.folder}; give the folder of a downloaded model")

    def _file(self, name: str) -> Any:
        if name not in self._open:
            path = self.folder / name
            if not path.is_file():
                raise ExplainError(f"{path} is not there, though the index names it; download this shard")
            try:
                self._open[name] = safe_open(str(path), framework="pt")
            except (SafetensorError, OSError, ValueError) as error:
                raise ExplainError(f"{path} is no whole safetensors file ({error}); download it again") from error
        return self._open[name]

    def names(self) -> list[str]:
        """Names of the tensors (V4's in DeepSeek's own spelling)."""
        return list(self._names)

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def about(self, name: str) -> Stored:
        """Where and as what a tensor is stored, from its file's header alone."""
        if name not in self._names:
            raise ExplainError(f"{self.folder} has no tensor {name!r}; it is not the model that its config.json says")
        stored = self._names[name]
        file = self.where[stored]
        try:
            part = self._file(file).get_slice(stored)
        except SafetensorError as error:
            raise ExplainError(
                f"{self.folder / file} has no tensor {stored!r}, though the index says so; download both again"
            ) from error
        return Stored(name, file, part.get_dtype(), tuple(part.get_shape()))

    # ------------------------------------------------------------------ reading
    def read(
        self,
        name: str,
        shape: tuple[int, ...] | None = None,
        dtype: torch.dtype = torch.float32,
        rows: Tensor | slice | None = None,
    ) -> Tensor:
        """One tensor as numbers, FP8 and FP4 multiplied by their scales.

        ``shape`` is what the configuration says; another one in the file is an error. ``rows`` of a large table are
        taken before anything is turned into float32.
        """
        about = self.about(name)
        raw = self._file(about.file).get_tensor(self._names[name])
        if rows is not None and about.dtype in _WHOLE and len(about.shape) == 2:
            _check_shape(about, shape, about.shape)
            return raw[rows].to(dtype)
        if about.dtype in _SCALED and (scales := self._scales(name)) is not None:
            values = _rescaled(raw, scales, self.block)
        elif about.dtype in _WHOLE or (about.dtype == "I64" and not dtype.is_floating_point):
            values = raw
        else:
            raise ExplainError(
                f"{name} is stored as {about.dtype} without scales; BF16, FP16, float32, and FP8 or FP4 with block "
                "scales can be read"
            )
        _check_shape(about, shape, tuple(values.shape))
        return (values if rows is None else values[rows]).to(dtype)

    @property
    def block(self) -> tuple[int, int]:
        """Rows and columns of an FP8 block, from ``config.json``."""
        about = self.config.get("quantization_config") or {}
        sizes = (about.get("weight_block_size") if isinstance(about, dict) else about) or (128, 128)
        if not (
            isinstance(sizes, list | tuple) and len(sizes) == 2 and all(isinstance(n, int) and n > 0 for n in sizes)
        ):
            raise ExplainError(
                f"config.json: weight_block_size is {sizes!r}; two whole numbers are needed, as [128, 128]"
            )
        return int(sizes[0]), int(sizes[1])

    def scale_name(self, name: str) -> str | None:
        """The name of a tensor's scales, where it has some."""
        others = (f"{name}_scale_inv", re.sub(r"\.weight$", ".scale", name))
        return next((other for other in others if other != name and other in self._names), None)

    def bare(self, name: str) -> bool:
        """Whether a tensor's codes lack the scales without which they are no numbers."""
        return self.about(name).dtype in _SCALED and self.scale_name(name) is None

    def _scales(self, name: str) -> Tensor | None:
        other = self.scale_name(name)
        if other is None:
            return None
        return self._file(self.where[self._names[other]]).get_tensor(self._names[other])


def _check_shape(about: Stored, asked: tuple[int, ...] | None, found: tuple[int, ...]) -> None:
    if asked is not None and found != asked:
        raise ExplainError(
            f"{about.name} has shape {found} in {about.file}, but config.json asks for {asked}; "
            "they do not belong together"
        )


def _native(name: str) -> str:
    """A tensor's name in V4 as DeepSeek spells it."""
    for pattern, other in _RENAMED:
        name = pattern.sub(other, name)
    return name


def _rescaled(raw: Tensor, scales: Tensor, block: tuple[int, int]) -> Tensor:
    """Codes and scales as float32; the grid of the scales says whether it is blocks (FP8) or rows by 32 (FP4)."""
    if scales.dtype == torch.uint8:
        scales = (scales.float() - 127).exp2()  # E8M0 kept as bytes
    codes, (rows, columns) = raw, block
    if raw.dtype in (torch.int8, torch.uint8):
        codes, rows, columns = unpack_fp4(raw), 1, 32
    grid = (-(-codes.shape[0] // rows), -(-codes.shape[1] // columns))
    if tuple(scales.shape) != grid:
        raise ExplainError(
            f"scales {tuple(scales.shape)} do not fit a weight {tuple(codes.shape)} in blocks of {rows} × {columns}; "
            "correct weight_block_size in config.json or download the file again"
        )
    return dequantise(codes, scales.float(), rows, columns)


def unpack_fp4(packed: Tensor) -> Tensor:
    """Two FP4 numbers a byte, the low half first: (R, C) int8 → (R, 2C) float32."""
    byte = packed.contiguous().view(torch.uint8).long()
    values = torch.tensor(_E2M1)
    return torch.stack((values[byte & 15], values[byte >> 4]), dim=-1).flatten(-2)


def read_config(folder: Path) -> dict[str, Any]:
    """The ``config.json`` of a checkpoint folder."""
    if folder.is_file():
        raise ExplainError(f"{folder} is a file; give the folder that it lies in, with its config.json")
    if not folder.is_dir():
        raise ExplainError(f"there is no folder {folder}; give the folder of a downloaded model")
    if not (folder / "config.json").is_file():
        raise ExplainError(f"{folder} has no config.json; give the folder of a downloaded model")
    return _json(folder / "config.json")


def _json(path: Path) -> dict[str, Any]:
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ExplainError(f"{path} is no JSON ({error}); download it again") from error
    if not isinstance(about, dict):
        raise ExplainError(f"{path} holds a {type(about).__name__} and no settings; download it again")
    return about
