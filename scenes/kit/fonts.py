"""The two type families, registered at run time from the packages that carry the files.

IBM Plex Sans and IBM Plex Mono (SIL Open Font License 1.1). Nothing is installed on the system, and every machine
draws the same glyphs. Mathematics is set by Typst in New Computer Modern, which Typst itself carries. Plex has Latin,
Greek and Cyrillic letters; for Chinese, Japanese and Korean `face` finds a family of the system, and a lecturer's own
``course.toml`` may name others for all.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from importlib.util import find_spec
from pathlib import Path

import manimpango
from PIL import ImageFont

from explainers import languages, locales
from explainers.errors import ExplainError
from scenes import look

SANS, MONO = "IBM Plex Sans", "IBM Plex Mono"
#: Package that carries a family → the distribution to install and the files that are used.
PACKAGES = {
    "fontpkg_ibm_plex_sans": (
        "fontpkg-ibm-plex-sans",
        ("IBMPlexSans[wdth,wght].ttf", "IBMPlexSans-Italic[wdth,wght].ttf"),
    ),
    "fontpkg_ibm_plex_mono": (
        "fontpkg-ibm-plex-mono",
        ("IBMPlexMono-Regular.ttf", "IBMPlexMono-Medium.ttf", "IBMPlexMono-SemiBold.ttf", "IBMPlexMono-Italic.ttf"),
    ),
}


def font_files() -> tuple[Path, ...]:
    """The font files on this machine; an `ExplainError` names the package that lacks."""
    files = []
    for package, (distribution, names) in PACKAGES.items():
        if find_spec(package) is None:
            raise ExplainError(f"the font package {distribution} is missing; run `pip install {distribution}`")
        folder = Path(str(resources.files(package))) / "files"
        for name in names:
            if not (folder / name).is_file():
                raise ExplainError(f"{distribution} lacks {name}; run `pip install --force-reinstall {distribution}`")
            files.append(folder / name)
    return tuple(files)


@cache
def register() -> tuple[Path, ...]:
    """Make the families known to Pango in this process, once. Returns the files."""
    files = font_files()
    for file in files:
        if not manimpango.register_font(str(file)):
            raise ExplainError(f"Pango could not read the font {file.name}; reinstall the font packages")
    return files


#: Script → families that have it, the best first, and how to get one.
_SYSTEM = {
    "Hans": ("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "PingFang SC", "WenQuanYi Zen Hei"),
    "Hant": ("Noto Sans CJK TC", "Noto Sans TC", "Source Han Sans TC", "PingFang TC", "WenQuanYi Zen Hei"),
    "Jpan": ("Noto Sans CJK JP", "Noto Sans JP", "Source Han Sans JP", "Hiragino Sans", "IPAexGothic"),
    "Kore": ("Noto Sans CJK KR", "Noto Sans KR", "Source Han Sans KR", "Apple SD Gothic Neo", "NanumGothic"),
}
_PLEX = ("Latn", "Cyrl", "Grek")


def face(family: str) -> str:
    """The family to draw with in place of `SANS` or `MONO`: for the language in force, and as the lecturer wishes."""
    register()
    lang, own = languages.now().lang, look.fonts()
    chosen = own.get({SANS: "sans", MONO: "mono"}.get(family, ""), "")
    return _named(chosen) if chosen else _for_language(lang) if family == SANS else family


@cache
def _named(font: str) -> str:
    """A family by its name, or out of a file."""
    file = Path(font)
    if file.suffix.lower() in (".ttf", ".otf"):
        try:
            family = str(ImageFont.truetype(font).getname()[0])
        except OSError as error:
            raise ExplainError(f"the font {file.name} cannot be read ({error}); give a .ttf or .otf file") from error
        manimpango.register_font(font)
        return family
    if font not in manimpango.list_fonts():
        raise ExplainError(
            f"the font family {font!r} is not on this machine; install it, or give its .ttf or .otf file"
        )
    return font


@cache
def _for_language(lang: str) -> str:
    """The family for a language's letters, or an error that says what to install."""
    script = "Latn" if lang == "en" else locales.script(lang)
    if script in _PLEX:
        return SANS
    if script not in _SYSTEM:
        raise ExplainError(
            f"texts in {locales.name(lang)} cannot be drawn: its letters join, and each is drawn alone here; "
            "languages in Latin, Greek, Cyrillic, Chinese, Japanese and Korean letters can be drawn"
        )
    here = set(manimpango.list_fonts())
    for family in _SYSTEM[script]:
        if family in here:
            return family
    raise ExplainError(
        f"no font on this machine has the letters of {locales.name(lang)}; install one (Debian, Ubuntu: "
        "`apt-get install fonts-noto-cjk`), or name one under [theme.fonts] of course.toml"
    )
