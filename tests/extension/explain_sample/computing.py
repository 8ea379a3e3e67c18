"""A run from outside."""

from __future__ import annotations

import numpy as np

from explainers import caching, configs
from explainers.traces import NamedArray, Trace


def sample_cache(*, model: str = "v3") -> Trace:
    """The cache of one conversation with ``model``: array ``cache`` (length), bytes."""
    per_token = configs.quantity(f"{model}.kv_bytes_per_token")
    values = [(per_token * caching.tokens(length)).value for length in ("4k", "128k")]
    cache = NamedArray(np.array(values), ("length",), "cache", "B", {"length": ("4k", "128k")})
    return Trace("sample_cache", {"cache": cache}, {"per_token": per_token}, {"model": model})
