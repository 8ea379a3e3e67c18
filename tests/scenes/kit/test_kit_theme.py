"""The theme's promises, measured: contrast, colour-blind viewers, even scales."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from explainers.errors import ExplainError
from scenes import look
from scenes.kit import label, palette, role, theme, tint, use_theme

#: Roles that stand side by side in one picture.
TOGETHER = {
    "attention": ("query", "key", "value", "latent", "rope", "token", "dense"),
    "experts": ("token", "router", "expert", "shared_expert", "dense"),
    "learning": ("token", "reward", "cost", "accent", "muted"),
    "economy": ("latent", "cost", "accent", "dense", "query"),
}
QUIET = ("surface", "hairline", "ground")


@pytest.mark.parametrize("name", theme.THEMES)
def test_every_role_can_be_read_as_text(name: str) -> None:
    colours = theme.THEMES[name].colours
    for each in set(look.ROLES) - set(QUIET):
        assert palette.contrast(colours[each], colours["ground"]) >= 4.5, (name, each)


def test_high_contrast_is_high() -> None:
    colours = theme.THEMES["high-contrast"].colours
    for each in set(look.ROLES) - set(QUIET):
        assert palette.contrast(colours[each], colours["ground"]) >= 7, each  # WCAG 2.2, AAA


@pytest.mark.parametrize("name", theme.THEMES)
def test_text_on_a_chip_can_be_read(name: str) -> None:
    with use_theme(name):
        for each in set(look.ROLES) - set(QUIET):
            assert palette.contrast(theme.colour(each), tint(each, 0.14).to_hex()[:7]) >= 4.5, each
        assert palette.contrast(theme.colour("muted"), theme.colour("surface")) >= 4.5


def test_known_contrasts() -> None:
    assert palette.contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert palette.contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)  # WebAIM's well-known example


@pytest.mark.parametrize("name", theme.THEMES)
@pytest.mark.parametrize("picture", TOGETHER)
@pytest.mark.parametrize("deficiency", ["", *palette.DEFICIENCIES])
def test_roles_of_one_picture_can_be_told_apart(name: str, picture: str, deficiency: str) -> None:
    least = 0.1 if not deficiency else 0.055  # 0.02 in OKLab is just noticeable side by side
    colours = theme.THEMES[name].colours
    for one, other in combinations(TOGETHER[picture], 2):
        seen = [palette.as_seen(colours[each], deficiency) for each in (one, other)]
        assert palette.distance(*seen) >= least, (one, other)


def test_deficiency_merges_red_and_green_and_keeps_grey() -> None:
    plain = palette.distance("#C04040", "#408040")
    seen = palette.distance(palette.as_seen("#C04040", "deutan"), palette.as_seen("#408040", "deutan"))
    assert seen < plain / 2
    assert palette.as_seen("#808080", "protan") == "#808080"


@pytest.mark.parametrize("name", theme.THEMES)
def test_scales_are_even_and_monotone(name: str) -> None:
    with use_theme(name):
        for table in (theme.scale_table("sequential"), theme.tinted_table("latent")):
            steps = np.linalg.norm(np.diff(palette.to_oklab(table), axis=0), axis=1)
            assert steps.max() / steps.mean() < 1.25
            lightness = palette.to_oklab(table)[:, 0]
            direction = np.sign(lightness[-1] - lightness[0])
            assert (np.diff(lightness) * direction > 0).all()
        lightness = palette.to_oklab(theme.scale_table("diverging"))[:, 0]
        middle = len(lightness) // 2
        outward = np.sign(lightness[0] - lightness[middle])
        assert (np.diff(lightness[: middle + 1]) * -outward > 0).all()
        assert (np.diff(lightness[middle:]) * outward > 0).all()
        assert abs(lightness[0] - lightness[-1]) < 0.1  # no sign looks larger than the other
        zero = palette.look_up(theme.scale_table("diverging"), np.array(0.5)) / 255
        assert palette.distance(palette.to_hex(zero), theme.theme().diverging[2]) < 0.005


def test_oklab_goes_there_and_back() -> None:
    rgb = np.random.default_rng(0).uniform(size=(50, 3))
    assert np.allclose(palette.from_oklab(palette.to_oklab(rgb)), rgb, atol=1e-6)
    assert palette.to_oklab(np.ones(3))[0] == pytest.approx(1, abs=1e-6)


def test_colours_are_looked_up_when_built(monkeypatch: pytest.MonkeyPatch) -> None:
    dark = label("key", role="key").get_fill_color()
    with use_theme("light"):
        assert label("key", role="key").get_fill_color() != dark
    assert label("key", role="key").get_fill_color() == dark
    monkeypatch.setenv(look.ENVIRONMENT, "light")
    assert theme.theme().name == "light"
    monkeypatch.setenv(look.ENVIRONMENT, "lihgt")
    with pytest.raises(ExplainError, match="did you mean light"):
        theme.theme()


def test_errors_name_the_value() -> None:
    with pytest.raises(ExplainError, match="'latnet'; did you mean latent"):
        role("latnet")
    with pytest.raises(ExplainError, match="#12"):
        palette.from_hex("#12")
    with pytest.raises(ExplainError, match="lacks a colour for accent"):
        theme.Theme("half", {r: "#000000" for r in look.ROLES if r != "accent"}, ("#000000",), ("#000000",))
    with pytest.raises(ExplainError, match="huge"):
        theme.cap_units("huge")


def test_no_role_shares_a_colour_with_another() -> None:
    for each in theme.THEMES.values():
        assert len(set(each.colours.values())) == len(each.colours), each.name


def test_the_frame() -> None:
    assert theme.SAFE_TOP == pytest.approx(4 * 0.9)
    assert theme.CAPTION_TOP == pytest.approx(-4 + 8 * 0.12)
    assert theme.CAPTION_TOP < theme.STAGE_CENTER[1] < theme.STAGE_TOP < theme.SAFE_TOP
    assert all(px >= 18 for name, px in theme.SIZES.items() if name not in ("tick", "origin"))
    assert all(px >= 11 for px in theme.SIZES.values())
