"""Colour as numbers: contrast, what colour-blind viewers see, and perceptually even scales.

Everything here is plain arithmetic on sRGB triples in 0…1, so that the theme's promises can be measured in tests.
OKLab: B. Ottosson, "A perceptual color space for image processing" (2020). Contrast: WCAG 2.2, relative luminance.
Colour-blind vision: G. Machado et al., "A physiologically-based model for simulation of color vision deficiency"
(2009), severity 1.0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from explainers.errors import ExplainError, one_of

Floats = NDArray[np.float64]

_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
#: Linear-RGB matrices of full dichromacy (Machado et al. 2009, table 1, severity 1.0).
DEFICIENCIES: dict[str, Floats] = {
    "protan": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deutan": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritan": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


def from_hex(colour: str) -> Floats:
    """``"#56B4E9"`` → three floats in 0…1."""
    digits = colour.lstrip("#")
    try:
        if len(digits) != 6:
            raise ValueError
        return np.array([int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)])
    except ValueError:
        raise ExplainError(f"cannot read the colour {colour!r}; write it like #56B4E9") from None


def to_hex(rgb: Floats) -> str:
    """Three floats in 0…1 → ``"#56B4E9"``."""
    return "#" + "".join(f"{round(float(channel) * 255):02X}" for channel in np.clip(rgb, 0, 1))


def linear(rgb: Floats) -> Floats:
    """sRGB → linear light."""
    return np.where(rgb <= 0.04045, rgb / 12.92, ((np.maximum(rgb, 0) + 0.055) / 1.055) ** 2.4)


def gamma(rgb: Floats) -> Floats:
    """Linear light → sRGB."""
    return np.where(rgb <= 0.0031308, rgb * 12.92, 1.055 * np.maximum(rgb, 0) ** (1 / 2.4) - 0.055)


def to_oklab(rgb: Floats) -> Floats:
    """sRGB (…, 3) → OKLab (…, 3): lightness, green–red, blue–yellow."""
    return np.cbrt(linear(np.asarray(rgb)) @ _TO_LMS.T) @ _TO_LAB.T


def from_oklab(lab: Floats) -> Floats:
    """OKLab (…, 3) → sRGB (…, 3), clipped into the gamut."""
    lms = np.asarray(lab) @ np.linalg.inv(_TO_LAB).T
    return np.clip(gamma((lms**3) @ np.linalg.inv(_TO_LMS).T), 0, 1)


def luminance(colour: str) -> float:
    """Relative luminance of WCAG, 0 (black) to 1 (white)."""
    return float(linear(from_hex(colour)) @ np.array([0.2126, 0.7152, 0.0722]))


def contrast(one: str, other: str) -> float:
    """Contrast ratio of WCAG, 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def as_seen(colour: str, deficiency: str = "") -> str:
    """The colour as a viewer with ``protan``, ``deutan`` or ``tritan`` vision sees it; unchanged for ``""``."""
    if not deficiency:
        return colour
    if deficiency not in DEFICIENCIES:
        raise one_of("colour deficiency", deficiency, list(DEFICIENCIES))
    return to_hex(gamma(np.clip(DEFICIENCIES[deficiency] @ linear(from_hex(colour)), 0, 1)))


def distance(one: str, other: str) -> float:
    """How different two colours look: Euclidean distance in OKLab (about 0.02 is just noticeable side by side)."""
    return float(np.linalg.norm(to_oklab(from_hex(one)) - to_oklab(from_hex(other))))


def mix(one: str, other: str, share: float) -> str:
    """``share`` of ``other`` in ``one``, mixed in OKLab."""
    start, end = to_oklab(from_hex(one)), to_oklab(from_hex(other))
    return to_hex(from_oklab(start + (end - start) * share))


def even_scale(anchors: Sequence[str], steps: int = 256) -> Floats:
    """A colour table whose neighbours all look equally far apart.

    Straight lines in OKLab through the anchors, walked at constant speed.

    Returns
    -------
    sRGB table of shape (steps, 3).
    """
    corners = to_oklab(np.stack([from_hex(colour) for colour in anchors]))
    lengths = np.linalg.norm(np.diff(corners, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    walk = np.linspace(0, along[-1], steps)
    lab = np.stack([np.interp(walk, along, corners[:, channel]) for channel in range(3)], axis=1)
    return from_oklab(lab)


def look_up(table: Floats, share: Floats) -> NDArray[np.uint8]:
    """Shares in 0…1 of any shape → RGB bytes (…, 3), interpolated in the table."""
    position = np.clip(np.nan_to_num(np.asarray(share, dtype=np.float64)), 0, 1) * (len(table) - 1)
    below = np.floor(position).astype(int)
    above = np.minimum(below + 1, len(table) - 1)
    part = (position - below)[..., None]
    return np.rint((table[below] * (1 - part) + table[above] * part) * 255).astype(np.uint8)
