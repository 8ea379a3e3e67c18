"""The door between computation and pictures: what a scene asked for is noted, and no torch tensor comes through.

Manim's cache hashes a tensor as an empty object and would reuse an old clip in silence, so a tensor on a scene, on a
mobject or in a ``play`` is an error that says what to do instead. Torch itself is never imported here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explainers import languages
from explainers.errors import ExplainError
from scenes import look, own_course

if TYPE_CHECKING:
    from explainers.quantities import Quantity
    from explainers.traces import Trace
    from scenes.citations import Citations
    from scenes.script import Lecture


_TORCH: dict[type, bool] = {}


def _is_torch(kind: type) -> bool:
    if kind not in _TORCH:
        _TORCH[kind] = any(base.__module__.partition(".")[0] == "torch" for base in kind.__mro__)
    return _TORCH[kind]


def refuse_tensors(value: Any, where: str, depth: int = 2) -> None:
    """Raise where ``value`` is, or holds within ``depth`` levels of containers, a torch tensor or module."""
    if _is_torch(type(value)):
        raise ExplainError(
            f"{where} is a torch {type(value).__name__}; a scene holds arrays: return it from a run as a NamedArray "
            "of a Trace (explainers.traces.to_numpy copies it) and read it with self.run(...)"
        )
    if depth and isinstance(value, list | tuple | set | frozenset):
        for item in value:
            refuse_tensors(item, where, depth - 1)
    elif depth and isinstance(value, Mapping):
        for key, item in value.items():
            refuse_tensors(item, f"{where}[{key!r}]", depth - 1)


def refuse_tensors_on(mobjects: Iterable[Any]) -> None:
    """The same for the attributes of mobjects and of all that belongs to them."""
    for mobject in mobjects:
        for member in mobject.get_family():
            for name, value in vars(member).items():
                if _is_torch(type(value)):
                    refuse_tensors(value, f"{type(member).__name__}.{name}")


@dataclass(frozen=True)
class Read:
    """One thing that a scene read: a run (``params`` as JSON) and the digest of its trace, or a number's value."""

    kind: str
    name: str
    digest: str
    params: str = "{}"

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "name": self.name, "params": json.loads(self.params), "digest": self.digest}

    def holds(self) -> bool:
        """Whether reading it again gives the same content."""
        try:
            return read_again(self.kind, self.name, json.loads(self.params)).digest == self.digest
        except ExplainError:
            return False

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Read:
        return cls(data["kind"], data["name"], data["digest"], json.dumps(data["params"], sort_keys=True))


def read_again(kind: str, name: str, params: Mapping[str, Any]) -> Read:
    """Ask for a run, a number, a colour or what a card shows as a scene would."""
    if kind == "run":
        return read_run(name, params)[1]
    if kind == "number":
        return read_number(name)[1]
    if kind == "colour":
        return read_colour(name)
    from scenes import script

    if kind == "logo":
        return read_logo()[1]
    if kind == "word":
        return word_read(script.load(params["script"]), params["scene"], name)
    own = script.load(params["script"])
    return (read_front(own, int(name)) if kind == "front" else read_citations(own, int(name)))[1]


def read_run(name: str, params: Mapping[str, Any]) -> tuple[Trace, Read]:
    """A run's trace, and the note that it was read."""
    from explainers import runs

    trace = runs.get(name, **params)
    numbers = "".join(repr(quantity.value) for _, quantity in sorted(trace.quantities.items()))
    return trace, Read("run", name, _digest(trace.digest + numbers), json.dumps(params, sort_keys=True))


def read_number(reference: str) -> tuple[Quantity, Read]:
    """A number by its reference, and the note that it was read."""
    from explainers.references import resolve

    quantity = resolve(reference)
    return quantity, number_read(reference, quantity)


def number_read(reference: str, quantity: Quantity) -> Read:
    """The note that this number was read."""
    return Read("number", reference, _digest(json.dumps(quantity.to_json(), sort_keys=True, default=str)))


def read_colour(name: str) -> Read:
    """The note that a colour of the theme, or a scale of colours, was looked up (`scenes.look.noted`)."""
    return Read("colour", name, _digest(look.value(name)))


def read_front(own: Lecture, number: int) -> tuple[Lecture | None, Read]:
    """What another script of a course says before its first scene, found from one script; and its place."""
    from scenes import script
    from scenes.registry import Course

    course = Course.default(own.lang)
    if course.own:
        found = next((lecture for lecture in course.lectures if lecture.number == number), None)
    else:
        folders = (own.path.parent, own.path.parent.parent / "en")  # what is not translated yet is named in English
        path = next((file for folder in folders for file in folder.glob(f"{number}_*.md")), None)
        found = script.load(path) if path else None
    about = [found.title, found.question, dict(found.about), course.place(number)] if found else []
    params = json.dumps({"script": str(own.path)})
    return found, Read("front", str(number), _digest(json.dumps(about, sort_keys=True)), params)


def read_citations(own: Lecture, number: int) -> tuple[Citations, Read]:
    """The citations noted of a lecture that is number ``number`` of its course, found from its script."""
    from scenes import citations
    from scenes.registry import Course

    course = Course.default(own.lang)
    if not course.own:
        course = Course(own.path.parent.parent, own.path.parent, own.lang)
    found = citations.load(number, course)
    if found is None:
        raise ExplainError(f"nobody noted what lecture {number} cites; `explain check {number} --update` does")
    params = json.dumps({"script": str(own.path)})
    return found, Read("citations", str(number), _digest(json.dumps([found.facts, found.runs])), params)


def word_read(own: Lecture, scene: str, english: str) -> Read:
    """The note that a text was looked up in the catalogues of a script's language."""
    found = languages.words_of(own.path, scene).get(english)
    return Read("word", english, _digest(repr(found)), json.dumps({"scene": scene, "script": str(own.path)}))


def read_logo() -> tuple[Path | None, Read]:
    """The file of a lecturer's logo, where there is one."""
    own = own_course.current()
    file = own.logo if own else None
    params = json.dumps({"script": ""})
    content = hashlib.sha256(file.read_bytes()).hexdigest() if file and file.is_file() else ""
    return file, Read("logo", file.name if file else "none", content, params)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
