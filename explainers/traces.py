"""The result of one real run, as read-only NumPy arrays with named axes.

A `Trace` is what crosses from computation to pictures. Torch tensors do not cross: Manim's cache hashes one as
an empty object and would reuse an old clip in silence, so everything is copied once into contiguous read-only
float or integer arrays, and the content is digested.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from explainers.errors import ExplainError, one_of
from explainers.quantities import Cited, Computed, Quantity

FORMAT = "explainers-trace-1"
_KINDS = {"f": np.float64, "i": np.int64, "u": np.int64, "b": np.bool_}
#: dtypes that are kept as they are; everything else is widened to float64 or int64.
_KEPT = (np.float32, np.float64, np.int32, np.int64, np.bool_, np.uint8)


def to_numpy(values: Any) -> NDArray[Any]:
    """Cross the border once: a contiguous, read-only array of plain numbers, of the same shape.

    Accepts NumPy arrays, nested sequences and (without importing torch) tensors; bf16 and fp16 become float32.
    """
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        if values.dtype.is_floating_point and values.dtype.itemsize < 4:
            values = values.float()
        values = values.numpy()
    array = np.array(values, order="C")  # a copy: nobody else may write into it
    if array.dtype.type not in _KEPT:
        if array.dtype.kind not in _KINDS:
            raise ExplainError(f"a trace holds numbers, not {array.dtype}; store texts as labels of an axis")
        array = array.astype(np.float32 if array.dtype == np.float16 else _KINDS[array.dtype.kind])
    array.setflags(write=False)
    return array


@dataclass(frozen=True, eq=False)
class NamedArray:
    """An array whose axes have names, and whose axes may have labels (tokens, experts).

    ``array["token"]`` is the length of an axis; ``array.pick(token=3)`` indexes by name.
    """

    values: NDArray[Any]
    axes: tuple[str, ...]
    name: str = ""
    unit: str = ""
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    run: str = ""
    digest: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", to_numpy(self.values))
        object.__setattr__(self, "axes", tuple(self.axes))
        if len(self.axes) != self.values.ndim or len(set(self.axes)) != len(self.axes):
            raise ExplainError(
                f"array {self.name!r} has shape {self.values.shape} but axes {self.axes}; name each axis once"
            )
        labels = {axis: tuple(map(str, names)) for axis, names in self.labels.items() if axis in self.axes}
        for axis, names in labels.items():
            if len(names) != self[axis]:
                raise ExplainError(f"array {self.name!r}: {len(names)} labels for axis {axis!r} of length {self[axis]}")
        object.__setattr__(self, "labels", MappingProxyType(labels))

    def __getitem__(self, axis: str) -> int:
        return int(self.values.shape[self._position(axis)])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self.values if dtype is None else self.values.astype(dtype)

    def __reduce__(self) -> tuple[Any, ...]:  # MappingProxyType does not pickle or deep-copy
        state = (self.values, self.axes, self.name, self.unit, dict(self.labels), self.run, self.digest)
        return NamedArray, state

    @property
    def shape(self) -> dict[str, int]:
        """Axis name → length, in order."""
        return dict(zip(self.axes, map(int, self.values.shape), strict=True))

    def _position(self, axis: str) -> int:
        if axis not in self.axes:
            raise one_of(f"axis of {self.name or 'this array'}", axis, list(self.axes))
        return self.axes.index(axis)

    def pick(self, **where: int | slice | Sequence[int]) -> NamedArray:
        """Index by axis name. An int drops the axis; a slice or a list keeps it, with its labels."""
        values, axes, labels = self.values, list(self.axes), dict(self.labels)
        for axis, index in where.items():
            position = axes.index(axis) if axis in axes else self._position(axis)
            if isinstance(index, int | np.integer):
                if not -values.shape[position] <= index < values.shape[position]:
                    raise ExplainError(
                        f"{self.name}: {axis} {index} is out of range; it has {values.shape[position]} entries"
                    )
                values = np.take(values, int(index), axis=position)
                axes.pop(position)
                labels.pop(axis, None)
                continue
            chosen = np.arange(values.shape[position])[index if isinstance(index, slice) else list(index)]
            values = np.take(values, chosen, axis=position)
            if axis in labels:
                labels[axis] = tuple(labels[axis][i] for i in chosen)
        return NamedArray(values, tuple(axes), self.name, self.unit, labels, self.run, self.digest)

    def transposed(self, *axes: str) -> NamedArray:
        """The same array with its axes in this order."""
        order = [self._position(axis) for axis in axes]
        return NamedArray(self.values.transpose(order), axes, self.name, self.unit, self.labels, self.run, self.digest)


@dataclass(frozen=True, eq=False)
class Trace:
    """Named arrays and key numbers of one run, with everything needed to repeat it.

    Parameters
    ----------
    run
        The name of the run in the catalogue.
    arrays
        Name → `NamedArray`.
    quantities
        Name → `Quantity`: the numbers that are worth saying. Their keys become ``run.<name>.<quantity>``.
    params, seed, device
        How it was run. Params are JSON values.
    meta
        What else a reader should know (versions, wall time, notes); not part of the digest.
    """

    run: str
    arrays: Mapping[str, NamedArray]
    quantities: Mapping[str, Quantity] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    device: str = "cpu"
    meta: Mapping[str, Any] = field(default_factory=dict)
    digest: str = ""

    def __post_init__(self) -> None:
        digest = content_digest(self.run, self.arrays, self.params, self.seed)
        object.__setattr__(self, "digest", digest)
        arrays = {
            name: NamedArray(a.values, a.axes, name, a.unit, a.labels, self.run, digest)
            for name, a in self.arrays.items()
        }
        object.__setattr__(self, "arrays", MappingProxyType(arrays))
        object.__setattr__(self, "params", MappingProxyType(dict(self.params)))
        object.__setattr__(self, "meta", MappingProxyType(dict(self.meta)))
        signed = {name: self._sign(name, quantity) for name, quantity in self.quantities.items()}
        object.__setattr__(self, "quantities", MappingProxyType(signed))

    def _sign(self, name: str, quantity: Quantity) -> Quantity:
        from dataclasses import replace

        origin = quantity.origin
        if isinstance(origin, Computed) and not origin.run:
            origin = replace(origin, run=self.run, params=dict(self.params), digest=self.digest)
        return replace(quantity, origin=origin, key=f"run.{self.run}.{name}", name=quantity.name or name)

    def __getitem__(self, name: str) -> NamedArray:
        if name not in self.arrays:
            raise one_of(f"array of run {self.run}", name, list(self.arrays))
        return self.arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.arrays)

    def __reduce__(self) -> tuple[Any, ...]:
        state = (
            self.run,
            dict(self.arrays),
            dict(self.quantities),
            dict(self.params),
            self.seed,
            self.device,
            dict(self.meta),
        )
        return Trace, state

    def quantity(self, name: str) -> Quantity:
        """A key number of this run, by name."""
        if name not in self.quantities:
            raise one_of(f"number of run {self.run}", name, list(self.quantities))
        return self.quantities[name]

    def to_json(self) -> dict[str, Any]:
        """What the run is, without its arrays' contents."""
        return {
            "run": self.run,
            "digest": self.digest,
            "params": dict(self.params),
            "seed": self.seed,
            "device": self.device,
            "meta": dict(self.meta),
            "arrays": {
                name: {
                    "axes": list(a.axes),
                    "shape": list(a.values.shape),
                    "dtype": str(a.values.dtype),
                    "unit": a.unit,
                }
                for name, a in self.arrays.items()
            },
            "quantities": {name: q.to_json() for name, q in self.quantities.items()},
        }

    def save(self, path: Path | str) -> Path:
        """Write a safetensors file, aside first and then moved into place."""
        path = Path(path)
        header = {
            "format": FORMAT,
            "run": self.run,
            "params": json.dumps(dict(self.params), sort_keys=True),
            "seed": str(self.seed),
            "device": self.device,
            "meta": json.dumps(dict(self.meta), sort_keys=True),
            "digest": self.digest,
            "arrays": json.dumps(
                {n: {"axes": a.axes, "unit": a.unit, "labels": dict(a.labels)} for n, a in self.arrays.items()},
                sort_keys=True,
            ),
            "quantities": json.dumps({n: q.to_json() for n, q in self.quantities.items()}, sort_keys=True),
        }
        data = save({name: np.ascontiguousarray(a.values) for name, a in self.arrays.items()}, header)
        write_aside(path, data)
        return path

    @classmethod
    def load(cls, path: Path | str) -> Trace:
        """Read a trace; a missing, truncated, foreign or altered file is an `ExplainError`."""
        path = Path(path)
        if not path.is_file():
            raise ExplainError(f"no trace at {path}; run `explain run list` to see what can be computed")
        try:
            with safe_open(str(path), framework="numpy") as file:
                header = file.metadata() or {}
                if header.get("format") != FORMAT:
                    raise ExplainError(f"{path} is not a trace of this project; remove it or give another file")
                values = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
            shapes = json.loads(header["arrays"])
            arrays = {
                name: NamedArray(values[name], tuple(about["axes"]), name, about["unit"], about["labels"])
                for name, about in shapes.items()
            }
            trace = cls(
                header["run"],
                arrays,
                {n: quantity_from_json(q) for n, q in json.loads(header["quantities"]).items()},
                json.loads(header["params"]),
                int(header["seed"]),
                header["device"],
                json.loads(header["meta"]),
            )
        except (SafetensorError, KeyError, ValueError, OSError) as error:
            raise ExplainError(f"{path} is damaged ({error}); delete it and compute it again with --fresh") from error
        if trace.digest != header["digest"]:
            raise ExplainError(f"{path} was altered after it was written; delete it and compute it again with --fresh")
        return trace


def content_digest(run: str, arrays: Mapping[str, NamedArray], params: Mapping[str, Any], seed: int) -> str:
    """SHA-256 over the run's name, parameters, seed and every array with its axes: the identity of a trace."""
    digest = hashlib.sha256(json.dumps([FORMAT, run, dict(params), seed], sort_keys=True, default=str).encode())
    for name in sorted(arrays):
        array = arrays[name]
        about = [name, list(array.axes), str(array.values.dtype), list(array.values.shape), array.unit]
        labels = {axis: list(names) for axis, names in sorted(array.labels.items())}
        digest.update(json.dumps([about, labels]).encode())
        digest.update(array.values.tobytes())
    return digest.hexdigest()


def write_aside(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees either the old one or the whole new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def quantity_from_json(data: Mapping[str, Any]) -> Quantity:
    """The inverse of `Quantity.to_json`."""
    about = data["origin"]
    origin: Cited | Computed
    if about["kind"] == "cited":
        origin = Cited(**{name: value for name, value in about.items() if name != "kind"})
    else:
        inputs = tuple(quantity_from_json(source) for source in about["inputs"])
        origin = Computed(about["formula"], inputs, about["run"], about["params"], about["digest"])
    return Quantity(data["value"], data["unit"], origin, data["name"], data["key"], data.get("spread"))
