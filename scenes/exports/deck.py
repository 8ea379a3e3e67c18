"""A lecture as a deck for a browser: static files that work opened from a disk, offline.

reveal.js walks through the slides; the page's own sources are in ``web/`` (plain ES modules), what a user needs is
built and ships in ``built/``.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from explainers.errors import ExplainError
from scenes.exports import clips, pictures
from scenes.exports.talk import Number, Slide, Source, Talk
from scenes.exports.words import words
from scenes.kit.fonts import font_files
from scenes.player import look, pages
from scenes.player.build import BUILT as PLAYER
from scenes.player.escaping import text
from scenes.themes import THEMES

BUILT = Path(__file__).parent / "built"
#: Pixels of the longer side of a slide, before the browser scales it.
_LONG_SIDE = 1280
_SOURCES_ON_A_SLIDE = 9
_PICTURE = 1280  # pixels wide, at most
#: Keys of the deck → the words for what they do.
_KEYS = (
    ("→", "go_on"),
    ("←", "back"),
    ("Space", "step"),
    ("R", "replay"),
    ("C", "captions"),
    ("S", "speaker"),
    ("O", "overview"),
    ("Home End", "ends"),
    ("F", "full"),
    ("B", "black"),
    ("?", "keys"),
)
_ON_THE_COVER = ("go_on", "speaker", "keys")


def write(talk: Talk, folder: Path) -> None:
    """Write ``index.html``, the speaker's window, clips, pictures and what they need into a new folder."""
    if not (BUILT / "deck.js").is_file():
        raise ExplainError(f"{BUILT} lacks the built deck; reinstall the package, or build it in scenes/exports/web")
    assets = folder / "assets"
    shutil.copytree(BUILT, assets)
    shutil.copytree(PLAYER / "fonts", assets / "fonts", ignore=shutil.ignore_patterns("*mono*"))
    shutil.copyfile(font_files()[0].parents[1] / "LICENSE", assets / "fonts" / "LICENSE.txt")
    _save(assets / "theme.css", _colours(talk))
    _save(assets / "icon.svg", look.icon())
    pictures.poster(talk, folder / "poster.webp", _PICTURE)
    for moment in ("start", "end"):
        pictures.draw(talk, folder / "pictures", moment, "webp", _PICTURE)
    (folder / "clips").mkdir()
    for slide in talk.slides:
        clip = folder / "clips" / f"step-{slide.number:02d}.mp4"
        clips.cut(talk.film.video, slide.start, slide.end, talk.picture, clip)
    _save(folder / "index.html", page(talk))
    _save(folder / "speaker.html", speaker_page(talk))


def _save(path: Path, content: str) -> None:
    path.write_text(content, encoding="utf-8")


def _colours(talk: Talk) -> str:
    """The film's colours for the screen, those of the light theme for paper; how wide a picture is there."""
    picture = talk.picture
    column = min(84.0, 84.0 * picture.width / picture.height)
    paper = look.properties(THEMES["light"], "paper-")
    return f":root{{{look.properties(talk.look)}{paper}--paper-column:{column:.0f}mm}}\n"


def page(talk: Talk) -> str:
    """The deck as HTML. Without scripts it reads as a hand-out."""
    own, picture = words(talk.lang), talk.picture
    scale = _LONG_SIDE / max(picture.width, picture.height)
    size = f"{round(picture.width * scale)} {round(picture.height * scale)}"
    silent = not talk.has_sound()
    steps = "\n".join(_step(talk, slide, silent) for slide in talk.slides)
    sources = "\n".join(
        _sources(talk, talk.sources[first : first + _SOURCES_ON_A_SLIDE], first)
        for first in range(0, len(talk.sources), _SOURCES_ON_A_SLIDE)
    )
    return f"""<!doctype html>
<html lang="{text(talk.lang)}">
<head>
{_head(talk)}
<link rel="stylesheet" href="assets/deck.css" media="screen">
<link rel="stylesheet" href="assets/paper.css" media="print">
<noscript><link rel="stylesheet" href="assets/paper.css"></noscript>
<script src="assets/deck.js" defer></script>
</head>
<body>
<div class="reveal" data-size="{size}">
<div class="slides">
{_cover(talk)}
{steps}
{sources}
</div>
</div>
<p class="captions" aria-live="off" hidden></p>
<button class="start" hidden>{text(own["start"])}</button>
<dialog class="keys-list" aria-label="{text(own["keys"])}"><dl>
{_keys(talk)}
</dl></dialog>
</body>
</html>
"""


def _head(talk: Talk) -> str:
    return f"""<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{text(pages.policy())}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{text(talk.number)} · {text(talk.title)}</title>
<link rel="icon" href="assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="assets/theme.css">"""


def _cover(talk: Talk) -> str:
    own, (short, long) = words(talk.lang), talk.title_parts()
    tall = " tall" if talk.picture.width < 1.2 * talk.picture.height else ""
    hint = " · ".join(f"<kbd>{key}</kbd>{text(own[name])}" for key, name in _KEYS if name in _ON_THE_COVER)
    return f"""<section class="cover{tall}" data-title="{text(talk.title)}">
<div>
<h1>{text(talk.number)} · {text(short)}</h1>
<p class="long">{text(long)}</p>
<p class="question">{text(talk.question)}</p>
<p class="fine">{text(talk.length())}</p>
<p class="fine keys">{hint}</p>
</div>
<img src="poster.webp" alt="">
</section>"""


def _keys(talk: Talk) -> str:
    own = words(talk.lang)
    rows = []
    for keys, name in _KEYS:
        listed = " ".join(f"<kbd>{key}</kbd>" for key in keys.split())
        rows.append(f"<dt>{listed}</dt><dd>{text(own[name])}</dd>")
    return "\n".join(rows)


def _step(talk: Talk, slide: Slide, silent: bool) -> str:
    place = f"{slide.number:02d}"
    first = " data-first" if slide.position == 1 else ""
    begin, end = talk.seconds_at(slide.start), talk.seconds_at(slide.end)
    cues = [
        [round(max(start - begin, 0), 3), round(min(stop, end) - begin, 3), words]
        for start, stop, words in talk.captions
        if start < end - 0.01 and stop > begin + 0.01
    ]
    numbers = "".join(_number(number) for number in slide.numbers)
    return f"""<section class="step" data-title="{text(slide.title)}"{first}>
<h2>{text(slide.scene)}</h2>
<video data-src="clips/step-{place}.mp4" poster="pictures/start-{place}.webp" preload="auto" playsinline data-ignore\
{" muted" if silent else ""} aria-label="{text(slide.picture_in_words)}" \
data-cues="{text(json.dumps(cues, ensure_ascii=False))}"></video>
<img class="end" src="pictures/end-{place}.webp" alt="{text(slide.picture_in_words)}" \
width="{talk.picture.width}" height="{talk.picture.height}">
<aside class="notes"><p>{text(slide.narration)}</p>
{f"<ul>{numbers}</ul>" if numbers else ""}</aside>
</section>"""


def _number(number: Number) -> str:
    origin = f"<span class='from'>{text(number.origin)}</span>"
    return f"<li><b>{text(number.text)}</b> <span class='name'>{text(number.name)}</span>{origin}</li>"


def _sources(talk: Talk, sources: Sequence[Source], before: int) -> str:
    heading = words(talk.lang)["sources"]
    rows = []
    for place, source in enumerate(sources, start=before + 1):
        name = text(source.name)
        linked = f'<a href="{text(source.url)}" rel="noreferrer">{name}</a>' if source.url else name
        about = text(" · ".join([source.date, *source.places[:1], source.used(talk.lang)]))
        rows.append(
            f"<li><span class='place'>{place}</span><span>{linked}<span class='fine'>{about}</span></span></li>"
        )
    return f"""<section class="sources" data-title="{text(heading)}">
<h2>{text(heading)}</h2>
<ol>{"".join(rows)}</ol>
</section>"""


def speaker_page(talk: Talk) -> str:
    """The speaker's window; it shows what the deck tells it."""
    own = words(talk.lang)
    buttons = (("back", "back"), ("replay", "again"), ("next", "go_on"))
    asked = "\n".join(
        f'<button data-command="{command}">{text(own[name].capitalize())}</button>' for command, name in buttons
    )
    return f"""<!doctype html>
<html lang="{text(talk.lang)}">
<head>
{_head(talk)}
<link rel="stylesheet" href="assets/speaker.css">
<script src="assets/speaker.js" defer></script>
</head>
<body data-next="{text(own["next"])}" data-end="{text(own["end"])}">
<main>
<h1 id="title"></h1>
<p id="words"></p>
<ul id="numbers"></ul>
</main>
<aside class="side">
<img id="now" alt="">
<progress id="film" value="0" max="1" aria-label="{text(own["step"])}"></progress>
<p id="next-title"></p>
<img id="next" alt="">
</aside>
<footer>
<button id="elapsed" title="{text(own["restart_clock"])}"></button>
<span id="clock"></span>
<span id="place"></span>
<span class="grow"></span>
{asked}
</footer>
</body>
</html>
"""
