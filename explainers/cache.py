"""What the caches of attention share: counting their bytes, and growing with or without room."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Room:
    """Two tensors (B, capacity, …) that a cache's own tensors are the beginnings of."""

    first: Tensor
    second: Tensor

    @property
    def capacity(self) -> int:
        """Tokens that fit."""
        return int(self.first.shape[1])


def make_room(held: tuple[Tensor, Tensor], tokens: int) -> Room:
    """Copy both tensors (B, T, …) to the beginning of larger ones, with room for ``tokens`` more."""
    larger = [x.new_empty(x.shape[0], x.shape[1] + tokens, *x.shape[2:]) for x in held]
    for buffer, x in zip(larger, held, strict=True):
        buffer[:, : x.shape[1]] = x
    return Room(larger[0], larger[1])


def grow(held: tuple[Tensor, Tensor], new: tuple[Tensor, Tensor], room: Room | None) -> tuple[Tensor, Tensor]:
    """Both tensors with the new tokens (B, S, …) at the end: written into the room, or joined into fresh tensors."""
    start, end = held[0].shape[1], held[0].shape[1] + new[0].shape[1]
    if room is None:
        return torch.cat((held[0], new[0]), dim=1), torch.cat((held[1], new[1]), dim=1)
    room.first[:, start:end] = new[0]
    room.second[:, start:end] = new[1]
    return room.first[:, :end], room.second[:, :end]


def held_bytes(held: tuple[Tensor, Tensor], room: Room | None) -> int:
    """Bytes of the tensors that are held, unused room included."""
    return sum(x.nbytes for x in (held if room is None else (room.first, room.second)))
