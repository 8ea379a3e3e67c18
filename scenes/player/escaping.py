"""Text that goes into a page stays text."""

from __future__ import annotations

import html
import json
from typing import Any

_IN_SCRIPT = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def script_data(name: str, value: Any) -> str:
    """A classic script that hands ``value`` to the page under ``name``; works where fetch does not (``file://``).

    No ``<``, ``>`` or ``&`` of the data is left, so that nothing in it can end the script or begin another.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)
    for sign, escaped in _IN_SCRIPT.items():
        text = text.replace(sign, escaped)
    return f"explainData({json.dumps(name)},{text});\n"


def text(value: object) -> str:
    """For HTML, as content or between quotes."""
    return html.escape(str(value), quote=True)
