"""The colours of the themes: values, and nothing else.

A scene depends on the colours that it looked up, not on this file: each is noted while the scene is drawn, as a read
(`scenes.door`), and `scenes.production.source` leaves this file out of every scene's code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from explainers.errors import ExplainError

#: What a colour may mean. The same in all eight lectures.
ROLES: Mapping[str, str] = MappingProxyType(
    {
        "token": "a token, a piece of text",
        "query": "attention: what is asked",
        "key": "attention: what is matched",
        "value": "attention: what is fetched",
        "latent": "the compressed vector that MLA keeps",
        "rope": "position (rotary)",
        "router": "the gate that chooses experts",
        "expert": "a routed expert",
        "shared_expert": "an expert that every token visits",
        "dense": "a dense layer, the usual way",
        "reward": "what is rewarded, what is gained",
        "cost": "what is paid, what is lost",
        "muted": "what stands back: axes, units, asides",
        "accent": "what to look at now",
        "text": "words",
        "surface": "the filling of chips and panels; carries no meaning",
        "hairline": "grid lines and outlines that stand back; carry no meaning",
        "ground": "the background",
    }
)


@dataclass(frozen=True)
class Theme:
    """A set of colours, one a role, and the anchors of the two scales of magnitude."""

    name: str
    colours: Mapping[str, str]
    sequential: tuple[str, ...]
    diverging: tuple[str, ...]

    def __post_init__(self) -> None:
        if missing := set(ROLES) - set(self.colours):
            raise ExplainError(f"theme {self.name!r} lacks a colour for {', '.join(sorted(missing))}")


_DARK = Theme(
    "dark",
    {
        "token": "#C9D2DE",
        "query": "#6BC4F7",
        "key": "#14A374",
        "value": "#E27FC0",
        "latent": "#F7B231",
        "rope": "#E2603C",
        "router": "#A487F2",
        "expert": "#33BDB5",
        "shared_expert": "#9CC24A",
        "dense": "#7E8998",
        "reward": "#6FD04C",
        "cost": "#F4735F",
        "muted": "#8D99A8",
        "accent": "#FFE873",
        "text": "#EDF1F5",
        "surface": "#1A212B",
        "hairline": "#3A4554",
        "ground": "#0E1217",
    },
    sequential=("#18212D", "#1D4E74", "#2391A0", "#8CCFA0", "#FBF6D0"),
    diverging=("#9ADBFF", "#2F92D9", "#171E27", "#D9622F", "#FFC08F"),
)
_LIGHT = Theme(
    "light",
    {
        "token": "#131B2B",
        "query": "#011F65",
        "key": "#1D583E",
        "value": "#821766",
        "latent": "#7C500A",
        "rope": "#8D0519",
        "router": "#6034BA",
        "expert": "#0A4937",
        "shared_expert": "#51651B",
        "dense": "#416187",
        "reward": "#075109",
        "cost": "#B6154D",
        "muted": "#333749",
        "accent": "#871A9F",
        "text": "#161B22",
        "surface": "#EEF1F4",
        "hairline": "#C3CAD3",
        "ground": "#FCFCFA",
    },
    sequential=("#EEF1F0", "#A6D3B4", "#3C9FA6", "#1C5C8A", "#122A48"),
    diverging=("#0B3E6B", "#4D9ACB", "#F2F2EF", "#DE7E58", "#7E2A10"),
)
_CONTRAST = Theme(
    "high-contrast",
    dict(
        _DARK.colours,
        token="#F2F9FC",
        query="#78C2EE",
        key="#44E3A9",
        value="#DD83C6",
        latent="#FAB52E",
        rope="#FB7246",
        router="#BDA8FD",
        expert="#58C8C2",
        shared_expert="#A5D257",
        dense="#CED2E0",
        reward="#71D649",
        cost="#F68372",
        muted="#BCBDC9",
        accent="#FFE76D",
        text="#FFFFFF",
        hairline="#6B7787",
        ground="#000000",
    ),
    _DARK.sequential,
    _DARK.diverging,
)
THEMES: Mapping[str, Theme] = MappingProxyType({theme.name: theme for theme in (_DARK, _LIGHT, _CONTRAST)})
