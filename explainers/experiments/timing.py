"""Clocks for the bench of the engine, and the two ceilings of the machine that everything is held against.

On a CPU what is measured is CPU time of one thread (`time.process_time`), which other work on the machine disturbs
less than wall time, the best of a few (long work: once). On CUDA it is the time between two events, the median of
some tens, the chip's cache emptied before each; work that can be recorded is replayed as a CUDA graph, so that
Python's own time stays out of it.
"""

from __future__ import annotations

import math
import platform
import statistics
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

NAN = math.nan
#: On a CPU work is repeated for about so many seconds, within these bounds: short work is easily disturbed.
_SPELL, _LEAST, _AT_MOST = 0.3, 3, 20
#: Work of more CPU seconds than this is measured once: it warms up by itself.
_LONG = 2.0
#: On CUDA a case is repeated for about so many seconds, within these bounds.
_AIM, _FEWEST, _MOST = 0.1, 5, 30
#: Bytes that are written between two repetitions on CUDA: several times the cache of any chip.
_FLUSH = 1 << 28


@dataclass(frozen=True)
class Ceilings:
    """What this machine reaches: bytes a second of a large copy or of reading, FLOP/s of a large product."""

    bandwidth: float
    rate: float

    def or_better(self, other: Ceilings) -> Ceilings:
        """The better of two measurements: what disturbs a machine only makes it slower."""
        return Ceilings(max(self.bandwidth, other.bandwidth), max(self.rate, other.rate))

    def floor(self, flops: float, moved: float) -> float:
        """Seconds under which nothing gets that moves these bytes and does these FLOPs."""
        return max(flops / self.rate, moved / self.bandwidth)


def seconds(work: Callable[[], Any], device: str, *, graph: bool = False) -> float:
    """The time of ``work`` after one call to warm up; NaN where it does not fit the GPU's memory.

    ``graph``: on CUDA, record the work once and time its replays. It must not wait for the CPU.
    """
    if not device.startswith("cuda"):
        first = _cpu_seconds(work)
        if first > _LONG:
            return first
        repeats = min(max(int(_SPELL / max(first, 1e-9)), _LEAST), _AT_MOST)
        return min(_cpu_seconds(work) for _ in range(repeats))
    try:
        return _cuda_seconds(_recorded(work) if graph else work)
    except torch.OutOfMemoryError:
        return NAN
    finally:
        torch.cuda.empty_cache()


def _cpu_seconds(work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _recorded(work: Callable[[], Any]) -> Callable[[], Any]:
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        work()  # kernels are compiled and handles made before anything is recorded
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()
    return graph.replay


def _cuda_seconds(work: Callable[[], Any]) -> float:
    flush = torch.empty(_FLUSH, dtype=torch.int8, device="cuda")
    work()
    times: list[float] = []
    wanted = _FEWEST
    while len(times) < wanted:
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        flush.zero_()
        begin.record()
        work()
        end.record()
        torch.cuda.synchronize()
        times.append(begin.elapsed_time(end) / 1000)
        wanted = min(max(int(_AIM / times[0]), _FEWEST), _MOST)
    return statistics.median(times)


def ceilings(device: str, dtype: torch.dtype) -> Ceilings:
    """Measure the machine: random numbers, because products of zeros can run faster than real ones.

    A copy reads and writes every byte; memory may be faster at reading alone, so the better of both counts.
    """
    gpu = device.startswith("cuda")
    held = torch.randn(1 << (30 if gpu else 24), device=device)  # float32: 4 GiB or 64 MiB
    other = torch.empty_like(held)
    copied, read = seconds(partial(other.copy_, held), device, graph=True), seconds(held.sum, device, graph=True)
    size = 8192 if gpu else 1024
    a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    multiplied = seconds(partial(torch.mm, a, b), device, graph=True)
    return Ceilings(max(2 / copied, 1 / read) * held.nbytes, 2 * size**3 / multiplied)


def chip(device: str) -> str:
    """What it was measured on."""
    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device)
    with suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return f"{line.partition(':')[2].strip()}, one thread"
    return f"{platform.processor() or platform.machine()}, one thread"
