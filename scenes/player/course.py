"""What the page knows of the course: lectures, scenes and steps (`course`), and each lecture's numbers (`lecture`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scenes.clock import HOLD
from scenes.player.films import Film, slug
from scenes.player.origins import Origins

#: A still text alternative names so many words of a picture at most.
_WORDS = 40


def identities(films: Sequence[Film]) -> dict[str, Film]:
    """The name of each film in addresses: ``"3"``, and ``"3-de"`` where another language came first."""
    named: dict[str, Film] = {}
    for film in films:
        name = str(film.number)
        named[name if name not in named else f"{name}-{film.lang}"] = film
    return named


def course(films: dict[str, Film], labs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Everything that is searched, listed and walked through; numbers come with `lecture` when they are asked for."""
    beside = {lab["lecture"]: lab["name"] for lab in labs}
    return {
        "format": 1,
        "labs": list(labs),
        "lectures": [_lecture(name, film, beside.get(film.number)) for name, film in films.items()],
    }


def _lecture(name: str, film: Film, lab: str | None) -> dict[str, Any]:
    about = film.manifest
    fps = about["settings"]["fps"]
    scenes, number = [], 0
    for scene in about["scenes"]:
        steps = []
        for step in scene["steps"]:
            number += 1
            steps.append(_step(step, scene, number, fps))
        scenes.append(
            {
                "slug": slug(scene["scene"]),
                "title": scene["heading"],
                "start": scene["start_seconds"],
                "end": scene["end_seconds"],
                "steps": steps,
            }
        )
    return {
        "id": name,
        "number": film.number,
        "name": film.name,
        "title": about["title"],
        "question": about["question"],
        "lang": film.lang,
        "seconds": about["end_seconds"],
        "width": about["settings"]["width"],
        "height": about["settings"]["height"],
        "sound": bool(about.get("sound")),
        "scenes": scenes,
        "lab": lab,
    }


def _step(step: dict[str, Any], scene: dict[str, Any], number: int, fps: int) -> dict[str, Any]:
    end = step["end_seconds"]
    return {
        "start": step["start_seconds"],
        "end": end,
        "stop": round((step["end_frame"] - 0.5) / fps, 4),
        "still": round(max(step["start_seconds"], end - HOLD), 4),
        "picture": number,
        "text": step["narration"],
        "alt": alternative(step, scene),
    }


def alternative(step: dict[str, Any], scene: dict[str, Any]) -> str:
    """A picture in words, from what stands on it: objects drawn from arrays, words, numbers with their names."""
    parts = [f"Picture at the end of step {step['index']} of “{scene['heading']}”."]
    if objects := step.get("objects"):
        parts.append(f"Drawn from data: {'; '.join(objects)}.")
    words = [text for text in step.get("texts", ()) if text != scene["heading"]]
    if words:
        more = f", and {len(words) - _WORDS} more" if len(words) > _WORDS else ""
        parts.append(f"Words: {', '.join(words[:_WORDS])}{more}.")
    numbers = [f"{n['text']} ({n['name']})" if n["name"] else n["text"] for n in step["numbers"]]
    if numbers:
        parts.append(f"Numbers: {'; '.join(dict.fromkeys(numbers))}.")
    return " ".join(parts)


def lecture(film: Film, origins: Origins) -> dict[str, Any]:
    """The numbers of each step, shown and said, the table of their origins, and the captions."""
    steps = [
        {
            "shown": [{"text": n["text"], "q": origins.add(n), "box": list(n["box"])} for n in step["numbers"]],
            "said": [{"text": n["text"], "q": origins.add(n)} for n in step["said"]],
        }
        for step in film.steps
    ]
    origins.settle()
    return {
        "steps": steps,
        "quantities": origins.entries,
        "captions": [list(cue) for cue in film.captions()],
        "settings": film.manifest["settings"],
        "versions": film.manifest["versions"],
    }
