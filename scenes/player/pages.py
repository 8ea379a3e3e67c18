"""The pages as HTML: the one that the player fills, and for each lecture notes to read and print."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scenes.player.escaping import text

#: What a page may load: only its own files. ``wasm-unsafe-eval`` lets a lab compile its WebAssembly, and nothing else.
POLICY = {
    "default-src": "'none'",
    "script-src": "'self' 'wasm-unsafe-eval'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "media-src": "'self'",
    "font-src": "'self'",
    "connect-src": "'self'",
    "worker-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'none'",
}
HEADER_ONLY = {"frame-ancestors": "'none'"}  # a meta element may not say this


def policy(*, header: bool = False) -> str:
    """The content security policy, for a meta element or for the header that `explain play` sends."""
    return "; ".join(f"{name} {value}" for name, value in (POLICY | (HEADER_ONLY if header else {})).items())


def _head(title: str, up: str = "") -> str:
    return f"""<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{text(policy())}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="dark light">
<title>{text(title)}</title>
<link rel="icon" href="{up}assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="{up}assets/theme.css">
<link rel="stylesheet" href="{up}assets/player.css">"""


def index(course: Mapping[str, Any]) -> str:
    """The page of the course. Without scripts it still leads to each film and its notes."""
    cards = "\n".join(_card(lecture) for lecture in course["lectures"])
    labs = "\n".join(
        f'<li><a href="#try/{text(lab["name"])}">{text(lab["title"])}</a> '
        f'<span class="fine">lecture {text(lab["lecture"])}</span></li>'
        for lab in course["labs"]
    )
    name = course.get("title") or "How DeepSeek’s models work"
    return f"""<!doctype html>
<html lang="en">
<head>
{_head(course.get("title") or "Explain DeepSeek")}
<script src="assets/player.js" defer></script>
<script src="data/course.js" defer></script>
</head>
<body>
<a class="skip" href="#main">Skip to the lecture</a>
<header class="top" id="top">
<a class="home" href="#/">Explain DeepSeek</a>
</header>
<main id="main" tabindex="-1">
<section class="intro">
<h1>{text(name)}</h1>
<p>Lectures whose pictures are drawn from tensors that were computed. Step through them, ask any number where it comes
from, and turn the knobs yourself.</p>
</section>
<ul class="cards">
{cards}
</ul>
<section class="labs-list">
<h2>Turn the knobs</h2>
<ul>
{labs}
</ul>
</section>
</main>
<noscript><p class="noscript">The player needs JavaScript. The films and the notes work without it.</p></noscript>
</body>
</html>
"""


def _card(lecture: Mapping[str, Any]) -> str:
    name, number, to = text(lecture["name"]), text(lecture["number"]), text(lecture["id"])
    title = text(lecture["title"]).replace(" — ", "\N{NO-BREAK SPACE}— ")  # no line begins with a dash
    count = sum(len(scene["steps"]) for scene in lecture["scenes"])
    return f"""<li class="card" lang="{text(lecture["lang"])}">
<a class="cover" href="#{to}" tabindex="-1" aria-hidden="true">
<img src="films/{name}/poster.webp" alt="" width="640" height="360" decoding="async"></a>
<div class="body">
<h2><a href="#{to}"><span class="number">{number}</span> {title}</a></h2>
<p>{text(lecture["question"])}</p>
<p class="fine">{clock(lecture["seconds"])} · {len(lecture["scenes"])} scenes · {count} steps</p>
<p class="fine"><a href="notes/{name}.html">Notes to print</a> ·
<a href="films/{name}/{name}.mp4">Film as a file</a></p>
</div></li>"""


def clock(seconds: float) -> str:
    """``325`` → ``"5:25"``."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def notes(lecture: Mapping[str, Any], numbers: Mapping[str, Any]) -> str:
    """A lecture on paper: every step's picture, its words, and its numbers with where they come from."""
    table, parts, index = numbers["quantities"], [], 0
    for scene in lecture["scenes"]:
        steps = []
        for position, step in enumerate(scene["steps"], start=1):
            steps.append(_note(lecture, scene, position, step, numbers["steps"][index], table))
            index += 1
        parts.append(f"<section><h2>{text(scene['title'])}</h2>\n{''.join(steps)}</section>\n")
    return f"""<!doctype html>
<html lang="{text(lecture["lang"])}">
<head>
{_head(f"Lecture {lecture['number']}: {lecture['title']} (notes)", "../")}
</head>
<body class="notes">
<main>
<p class="fine screen" lang="en"><a href="../index.html#{text(lecture["id"])}">Back to the lecture</a> ·
print this page for notes on paper</p>
<h1>{text(lecture["number"])} · {text(lecture["title"])}</h1>
<p class="lead">{text(lecture["question"])}</p>
{"".join(parts)}</main>
</body>
</html>
"""


def _note(
    lecture: Mapping[str, Any],
    scene: Mapping[str, Any],
    position: int,
    step: Mapping[str, Any],
    numbers: Mapping[str, Any],
    table: list[dict[str, Any]],
) -> str:
    shown = {one["q"]: one["text"] for one in [*numbers["said"], *numbers["shown"]]}
    rows = "".join(
        f"<li><b>{text(words)}</b> {text(table[q]['name'])}<span class='from'>{text(origin_line(table[q]))}</span></li>"
        for q, words in shown.items()
    )
    listed = f"<ul class='sources'>{rows}</ul>" if rows else ""
    address = f"../index.html#{text(lecture['id'])}/{text(scene['slug'])}/{position}"
    picture = f"../films/{text(lecture['name'])}/step-{step['picture']}.webp"
    return f"""<article class="note">
<img src="{picture}" alt="{text(step["alt"])}" width="{lecture["width"]}" height="{lecture["height"]}">
<div><p><a class="stepnumber" href="{address}" aria-label="Step {position} in the player">{position}</a>
{text(step["text"])}</p>
{listed}</div></article>
"""


def origin_line(entry: Mapping[str, Any]) -> str:
    """Where a number comes from, in one line."""
    if cited := entry.get("cited"):
        doubt = "" if cited["confidence"] == "primary" else f" ({cited['confidence']})"
        return ", ".join(part for part in (cited["source"], cited["where"], cited["date"]) if part) + doubt
    made = entry["computed"]
    return f"run {made['run'][0]}: {made['formula']}" if made.get("run") else f"computed: {made['formula']}"
