"""New scenes, lectures, runs and kit objects from templates that already work: ``explain new``.

Everything that is to be written is planned first and refused as a whole where a name is bad or a file is there; then
files are written, and lines added to the few places that list things.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from explainers.errors import ExplainError
from explainers.traces import write_aside
from scenes import script
from scenes.registry import Course
from scenes.workshop import naming

_TEMPLATES = Path(__file__).with_name("templates")
_PROJECT = Path(__file__).resolve().parents[2]


@dataclass
class Change:
    """Files that are written anew, and files that get more text. ``scene`` is the key of what can be checked."""

    new: dict[Path, str] = field(default_factory=dict)
    grown: dict[Path, str] = field(default_factory=dict)
    scene: str = ""

    def write(self) -> list[Path]:
        """Write all; nothing is written if one of the new files is there already."""
        for path in self.new:
            if path.exists():
                raise ExplainError(f"{path} is there already; choose another name, or remove it first")
        for path, text in {**self.new, **self.grown}.items():
            write_aside(path, text.encode())
        return [*self.new, *self.grown]


def template(file: str, /, **values: object) -> str:
    """A file of ``templates/`` with ``$words`` filled in."""
    return Template((_TEMPLATES / f"{file}.txt").read_text(encoding="utf-8")).substitute(values)


# ---------------------------------------------------------------------- scenes and lectures
def new_scene(name: str, number: int, course: Course | None = None) -> Change:
    """A section at the end of a lecture's script, and a class of that name in the lecture's folder."""
    course = course or Course.default()
    naming.class_name(name, "scene")
    lecture = course.lecture(number)
    _refuse_known(name, course)
    heading = naming.words(name)
    section = template("section.md", name=name, heading=heading)
    file = _scene_file(name, lecture, course)
    code = template("scene.py", name=name, number=number, heading_lower=_lower(heading))
    text = lecture.path.read_text(encoding="utf-8").rstrip() + "\n\n" + section
    _parse(text, lecture.path)
    return Change({file: code}, {lecture.path: text}, f"{number}/{name}")


def new_lecture(
    title: str, number: int | None = None, scene: str = "", question: str = "", course: Course | None = None
) -> Change:
    """A script and a folder with one scene. ``draft: yes`` in its head keeps its length from being judged."""
    course = course or Course.default()
    title = " ".join(title.split())
    slug = "_".join(re.findall(r"[a-z0-9]+", naming.snake(title))[:3])
    if not re.match(r"[a-z]", slug):
        raise ExplainError(f"cannot make a file name of the title {title!r}; begin it with a letter")
    if re.search(r"\d", title + question):
        raise ExplainError(f"{title!r} or its question holds digits, which have no origin; write it in words")
    used = {lecture.number for lecture in course.lectures}
    number = number or max(used, default=0) + 1
    if number in used:
        raise ExplainError(f"lecture {number} is there already ({course.lecture(number).title}); leave --number out")
    if number < 1:
        raise ExplainError(f"a lecture cannot have the number {number}; choose 1 or more")
    name = naming.class_name(scene or script.camel_case(title), "scene")
    _refuse_known(name, course)
    heading = naming.words(name)
    folder = course.scenes / f"l{number}_{slug}"
    section = template("section.md", name=name, heading=heading).rstrip()
    question = " ".join(question.split()) or "What will a viewer be able to answer afterwards?"
    head = template("lecture.md", number=number, title=title, question=question, section=section)
    path = course.scripts / course.lang / f"{number}_{slug}.md"
    _parse(head, path)
    return Change(
        {
            path: head,
            folder / "__init__.py": template("lecture_init.py", number=number, title_lower=_lower(title)),
            folder / f"{naming.snake(name)}.py": template(
                "scene.py", name=name, number=number, heading_lower=_lower(heading)
            ),
        },
        scene=f"{number}/{name}",
    )


def _parse(text: str, path: Path) -> None:
    """A script that could not be read (digits in a heading) is refused before anything is written."""
    names = script.names_file(path)
    listed = names.read_text(encoding="utf-8").split("\n") if names.is_file() else []
    script.parse(text, path, frozenset(line.strip() for line in listed if line.strip()))


def _refuse_known(name: str, course: Course) -> None:
    for lecture in course.lectures:
        for section in lecture.sections:
            if section.name == name:
                raise ExplainError(f"{name} is a scene of lecture {lecture.number} already; choose another name")
    for (number, known), code in course.classes.items():
        if known == name:
            raise ExplainError(f"{name} is a class of lecture {number} already ({code.where}); choose another name")


def _scene_file(name: str, lecture: script.Lecture, course: Course) -> Path:
    """In the lecture's own folder, beside its single module, or in a folder that is made for it."""
    files = [code.file for (number, _), code in course.classes.items() if number == lecture.number]
    if not files:
        return course.scenes / f"l{lecture.number}_{lecture.slug.partition('_')[2]}" / f"{naming.snake(name)}.py"
    folder = min((file.parent for file in files), key=lambda path: len(path.parts))
    beside = "" if folder != course.scenes else f"l{lecture.number}_"
    return folder / f"{beside}{naming.snake(name)}.py"


def _lower(text: str) -> str:
    first, _, rest = text.partition(" ")
    return f"{first if first.isupper() and len(first) > 1 else first.lower()} {rest}".strip()


# ---------------------------------------------------------------------- runs and kit objects
def new_run(name: str, summary: str = "", project: Path | None = None) -> Change:
    """A run function, its line in the catalogue, and its test."""
    from explainers.runs import CATALOGUE

    root = _clone(project)
    naming.function_name(name, "run")
    if name in CATALOGUE:
        raise ExplainError(f"run {name!r} is there already; choose another name")
    summary = " ".join(summary.split()).rstrip(".") or "the cache of one conversation at several lengths"
    catalogue = root / "explainers" / "catalogue.py"
    entry = f'\nregister(\n    Run(\n        "{name}",\n        "explainers.experiments.{name}:{name}",\n'
    entry += f'        "{_quoted(summary)}",\n    ),\n)\n'
    said = _quoted(summary)
    return Change(
        {
            root / "explainers" / "experiments" / f"{name}.py": template(
                "run.py", name=name, summary=said[0].upper() + said[1:]
            ),
            root / "tests" / "explainers" / f"test_experiments_{name}.py": template("test_run.py", name=name),
        },
        {catalogue: catalogue.read_text(encoding="utf-8").rstrip() + "\n" + entry},
    )


def new_kit_object(name: str, project: Path | None = None) -> Change:
    """A data-bound object, its export from `scenes.kit`, its example and its test."""
    root = _clone(project)
    naming.class_name(name, "kit object")
    module = naming.snake(name)
    exports = root / "scenes" / "kit" / "__init__.py"
    text = exports.read_text(encoding="utf-8")
    if re.search(rf"\b{name}\b", text):
        raise ExplainError(f"scenes.kit has a {name} already; choose another name")
    values = {"name": name, "module": module, "heading": naming.words(name)}
    return Change(
        {
            root / "scenes" / "kit" / f"{module}.py": template("kit.py", **values),
            root / "scenes" / "kit" / "examples" / f"{module}.py": template("example.py", **values),
            root / "tests" / "scenes" / "kit" / f"test_kit_{module}.py": template("test_kit.py", **values),
        },
        {exports: _exported(text, module, name)},
    )


def _exported(text: str, module: str, name: str) -> str:
    """``kit/__init__.py`` with one more import, in its place by the alphabet, and one more public name."""
    line = f"from scenes.kit.{module} import {name}\n"
    imports = re.finditer(r"^from (scenes\.kit\.\w+) import ", text, re.MULTILINE)
    later = [match for match in imports if match[1] > f"scenes.kit.{module}"]
    at = later[0].start() if later else text.index("\n__all__")
    text = text[:at] + line + text[at:]
    return text.replace("__all__ = [\n", f'__all__ = [\n    "{name}",\n', 1)


def _quoted(text: str) -> str:
    if found := re.search(r'["\\]', text):
        raise ExplainError(f"a summary cannot hold {found[0]!r}; write it without")
    return text


def _clone(project: Path | None) -> Path:
    """The root of the clone: runs and kit objects are written into the project itself."""
    root = project or _PROJECT
    lacking = [name for name in ("pyproject.toml", "tests", "explainers", "scenes") if not (root / name).exists()]
    if lacking:
        raise ExplainError(
            f"{root} is no clone of the project ({', '.join(lacking)} not there); clone it, or put runs and kit "
            "objects into a package of your own (entry points `explain.runs` and `explain.kit`)"
        )
    return root


def shown(path: Path) -> str:
    """A path as one types it: relative to the clone or to the current folder where it lies inside."""
    for root in (Path.cwd(), _PROJECT):
        if path.is_absolute() and path.is_relative_to(root):
            return str(path.relative_to(root))
    return str(path)


def checked(scene: str, course: Course) -> list[str]:
    """Audit a scene that was just written and put down its golden; the findings, a line each (none: all is well)."""
    from scenes.audit import goldens
    from scenes.audit.walking import audit

    lecture, _, name = scene.partition("/")
    found = audit(course.entry(course.lecture(int(lecture)), name))
    place = goldens.folder(course)
    if place is not None and not found.findings:
        goldens.update(found, place)
    return [f"step {each.step} {each.code}: {each.object}: {each.measure} → {each.message}" for each in found.findings]
