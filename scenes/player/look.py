"""The films' own colours for the page: the themes of `scenes.kit.theme` as CSS, its scales of magnitude as data."""

from __future__ import annotations

from scenes.kit import palette, theme

_SHADES = 64


def stylesheet() -> str:
    """Custom properties of each theme: dark by default, light or with more contrast where the viewer asks for it."""
    dark, light, contrast = (theme.THEMES[name] for name in ("dark", "light", "high-contrast"))
    blocks = [
        f":root{{color-scheme:dark;{properties(dark)}}}",
        f"@media (prefers-color-scheme:light){{:root{{color-scheme:light;{properties(light)}}}}}",
        f"@media (prefers-contrast:more){{:root{{color-scheme:dark;{properties(contrast)}}}}}",
        f"@media print{{:root{{color-scheme:light;{properties(light)}}}}}",
    ]
    return "\n".join(blocks) + "\n"


def properties(chosen: theme.Theme, before: str = "") -> str:
    """A theme's colours as custom properties, ``--shared-expert:#…``; ``before`` goes before each name."""
    return "".join(f"--{before}{name.replace('_', '-')}:{colour};" for name, colour in chosen.colours.items())


def scales() -> dict[str, list[str]]:
    """The colour tables ``sequential`` and ``diverging`` as ``#RRGGBB``, dark theme, as on the films."""
    with theme.use_theme("dark"):
        return {kind: _sampled(kind) for kind in ("sequential", "diverging")}


def _sampled(kind: str) -> list[str]:
    table = theme.scale_table(kind)
    last = len(table) - 1
    return [palette.to_hex(table[round(index * last / (_SHADES * 2))]) for index in range(_SHADES * 2 + 1)]


def icon() -> str:
    """Four squares, one of them chosen: a token that went to its expert."""
    dark = theme.THEMES["dark"].colours
    squares = [(4, 4, "expert"), (18, 4, "latent"), (4, 18, "hairline"), (18, 18, "hairline")]
    drawn = "".join(f'<rect x="{x}" y="{y}" width="10" height="10" rx="2" fill="{dark[r]}"/>' for x, y, r in squares)
    ground = f'<rect width="32" height="32" rx="6" fill="{dark["ground"]}"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">{ground}{drawn}</svg>\n'
