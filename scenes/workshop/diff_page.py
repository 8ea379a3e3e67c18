"""The page of ``explain diff``: before, after and difference side by side, in one file that needs no other."""

from __future__ import annotations

import base64
import html
import io

import numpy as np
from PIL import Image

from scenes.workshop.differing import Change, Comparison, Pixels

_STYLE = """
:root { color-scheme: dark; } body { margin: 0 auto; max-width: 110rem; padding: 1rem 1.5rem; background: #0e1217;
color: #edf1f5; font: 15px/1.5 system-ui, sans-serif; } .row { display: grid; gap: .8rem;
grid-template-columns: repeat(3, minmax(0, 1fr)); } img { width: 100%; border-radius: 4px;
display: block; outline: 1px solid #3a4554; }
figure { margin: 0; } figcaption, .quiet { color: #a3afbd; } h2 { font-size: 1rem; margin: 1.6rem 0 .4rem; }
.none { aspect-ratio: 16 / 9; border: 1px dashed #3a4554; border-radius: 4px; display: grid; place-items: center; }
"""


def page(found: Comparison) -> str:
    """The whole page as HTML."""
    steps = f"{len(found.changes)} step{'' if len(found.changes) == 1 else 's'}"
    scenes = f"{len(found.looked)} scene{'' if len(found.looked) == 1 else 's'}"
    head = f"{steps} of {scenes} look different since {found.revision}"
    parts = [f"<h1>{html.escape(head)}</h1>", '<p class="quiet">Only scenes whose code, words or data changed.</p>']
    parts += [_row(change) for change in found.changes]
    for scene, why in found.failed.items():
        parts.append(f"<h2>{html.escape(scene)} could not be compared</h2><p>{html.escape(why)}</p>")
    seen = {change.scene for change in found.changes} | set(found.failed)
    same = [key for key in found.looked if key not in seen]
    if same:
        parts.append(f'<p class="quiet">Looked at, and the same: {html.escape(", ".join(same))}.</p>')
    body = "\n".join(parts)
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{html.escape(head)}</title>'
        f"<style>{_STYLE}</style>\n{body}\n</html>\n"
    )


def _row(change: Change) -> str:
    much = f"{change.pixels:,} pixels" if change.pixels else "new" if change.before is None else "gone"
    cells = [_cell("before", change.before), _cell("after", change.after)]
    if change.before is not None and change.after is not None:
        cells.append(_cell("difference", difference(change.before, change.after)))
    name = html.escape(f"{change.scene}, step {change.step}")
    return f'<h2>{name} <span class="quiet">{much}</span></h2><div class="row">{"".join(cells)}</div>'


def _cell(name: str, pixels: Pixels | None) -> str:
    if pixels is None:
        return f'<figure><div class="none">not there</div><figcaption>{name}</figcaption></figure>'
    buffer = io.BytesIO()
    Image.fromarray(pixels).quantize(128, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    data = base64.b64encode(buffer.getvalue()).decode()
    picture = f'<img alt="{name}" src="data:image/png;base64,{data}">'
    return f"<figure>{picture}<figcaption>{name}</figcaption></figure>"


def difference(before: Pixels, after: Pixels) -> Pixels:
    """The picture after, dimmed and grey; what differs in amber, as bright as it differs."""
    if before.shape != after.shape:
        return after
    away = np.abs(before.astype(float) - after.astype(float)).max(axis=-1, keepdims=True) / 255
    grey = after.mean(axis=-1, keepdims=True) * 0.35
    strength = np.clip(away * 3, 0, 1)
    amber = np.array([255.0, 190.0, 60.0])
    return np.asarray(grey * (1 - strength) + amber * strength, dtype=np.uint8)
