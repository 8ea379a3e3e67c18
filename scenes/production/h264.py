"""Frames that repeat the one before, written into an H.264 stream without asking the encoder.

A picture that stands still costs an encoder as long as one that moves. In H.264 it is a P slice in which every
macroblock is skipped (ITU-T H.264, 7.3.4 and 8.4.1.1): some thirty bytes that any decoder shows as the frame before,
to the last bit. `Repeats` puts such slices between the encoder's own, and counts on: ``frame_num`` (7.4.3) of all that
follow until the next key frame is raised by the slices that the encoder does not know about.

It asks of the stream what `encoder` chooses: one slice a frame, one reference frame, no B-frames (picture order count
type 2: decoding order is presentation order), no interlacing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_START = re.compile(rb"\x00\x00\x00?\x01")
_ESCAPED, _PLAIN = b"\x00\x00\x03", b"\x00\x00"
_NEEDS_ESCAPE = re.compile(rb"\x00\x00(?=[\x00-\x03])")
_SLICE, _IDR, _SPS = 1, 5, 7
#: Profiles whose parameter set says the chroma format (7.3.2.1.1).
_HIGH = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}


def nal_units(packet: bytes) -> list[bytes]:
    """The NAL units of a packet in Annex B form, without their start codes."""
    return [unit for unit in _START.split(packet) if unit]


def kind(unit: bytes) -> int:
    """``nal_unit_type``: 1 a slice, 5 a slice of a key frame, 7 a sequence parameter set."""
    return unit[0] & 31


class Bits:
    """Reads an RBSP from its first bit on."""

    def __init__(self, data: bytes) -> None:
        self.value, self.length, self.at = int.from_bytes(data, "big"), len(data) * 8, 0

    def u(self, bits: int) -> int:
        self.at += bits
        return self.value >> (self.length - self.at) & ((1 << bits) - 1)

    def ue(self) -> int:
        """An Exp-Golomb code (9.1)."""
        zeros = 0
        while self.u(1) == 0:
            zeros += 1
        return (1 << zeros) - 1 + self.u(zeros)


def frame_num_bits(parameters: bytes) -> int:
    """Bits of ``frame_num``, from a stream's parameter sets; ValueError where the stream is not of the kind above."""
    for unit in nal_units(parameters):
        if kind(unit) != _SPS:
            continue
        bits = Bits(unit[1:].replace(_ESCAPED, _PLAIN)[:32])
        profile = bits.u(24) >> 16
        bits.ue()
        if profile in _HIGH:
            chroma, luma_depth, chroma_depth = bits.ue(), bits.ue(), bits.ue()
            if (chroma, luma_depth, chroma_depth, bits.u(2)) != (1, 0, 0, 0):
                raise ValueError("not 8 bits in 4:2:0 without scaling lists")
        found = bits.ue() + 4
        if bits.ue() != 2:
            raise ValueError("the stream may reorder frames")
        return found
    raise ValueError("no sequence parameter set")


def raise_frame_num(unit: bytes, by: int, bits: int) -> bytes:
    """A slice whose ``frame_num`` is larger by ``by``, modulo 2^bits."""
    body = unit[1:].replace(_ESCAPED, _PLAIN)
    head = Bits(body[:16])
    head.ue(), head.ue(), head.ue()  # first_mb_in_slice, slice_type, pic_parameter_set_id
    before = head.u(bits)
    shift = head.length - head.at
    after = head.value ^ (before ^ (before + by) % (1 << bits)) << shift
    body = after.to_bytes(len(body[:16]), "big") + body[16:]
    return unit[:1] + _NEEDS_ESCAPE.sub(_ESCAPED, body)


@dataclass
class Repeats:
    """Counts the frames of one stream.

    Parameters
    ----------
    parameters
        SPS and PPS in Annex B form.
    template
        A packet of one all-skip slice made with the same parameters, and the ``frame_num`` that it carries.
    """

    parameters: bytes
    template: tuple[bytes, int]

    def __post_init__(self) -> None:
        self.bits = frame_num_bits(self.parameters)
        self.added = 0  # repeats since the last key frame
        self.coded = 0  # frames of the encoder's own since the last key frame, itself included

    def coded_packet(self, packet: bytes) -> bytes:
        """A packet of the encoder as it must stand in the stream."""
        units = nal_units(packet)
        slices = [unit for unit in units if kind(unit) in (_SLICE, _IDR)]
        if len(slices) != 1:
            raise ValueError(f"{len(slices)} slices in a frame")
        if kind(slices[0]) == _IDR:
            self.added, self.coded = 0, 1
            return packet
        self.coded += 1
        if not self.added:
            return packet
        return b"".join(
            b"\x00\x00\x00\x01" + (raise_frame_num(unit, self.added, self.bits) if kind(unit) == _SLICE else unit)
            for unit in units
        )

    def repeat(self) -> bytes:
        """A packet that shows the frame before once more."""
        unit, carries = self.template
        number = self.coded + self.added
        self.added += 1
        return b"\x00\x00\x00\x01" + raise_frame_num(unit, number - carries, self.bits)
