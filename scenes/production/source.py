"""Which code a scene depends on: followed from import to import, to the file, and read without comments and layout.

``from scenes.kit import BarChart`` reaches the module that defines `BarChart`, not all that the package offers: a
package file that only imports names and lists them is looked through. Anything else that an import runs is reached.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from scenes.production.code_facts import facts

_PROJECT = Path(__file__).resolve().parents[2]
_PACKAGES = ("explainers", "scenes")
#: Behind these modules lie values, and values are checked by what a scene reads; their imports are not followed.
_DOORS = {_PROJECT / "explainers" / name for name in ("references.py", "runs.py")}
#: Values and no more: what a scene takes of them is a read.
_VALUES = {_PROJECT / "scenes" / "themes.py"}


def shown_path(path: Path) -> str:
    """A file as a user would name it."""
    return str(path.relative_to(_PROJECT)) if path.is_relative_to(_PROJECT) else str(path)


def reach(file: Path) -> set[Path]:
    """Every file of this project that a module imports, directly or through others, itself included."""
    found: set[Path] = set()
    todo = [file.resolve()]
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            if path in _DOORS:
                continue
            todo += [other for other in _imports(path) if other not in found and other not in _VALUES]
    return found


#: File → its stamp, the package files that were looked through with theirs, and what it imports.
_KNOWN: dict[Path, tuple[dict[Path, int], tuple[Path, ...]]] = {}


def _imports(file: Path) -> tuple[Path, ...]:
    if file in _KNOWN:
        stamps, found = _KNOWN[file]
        if all(path.is_file() and path.stat().st_mtime_ns == stamp for path, stamp in stamps.items()):
            return found
    looked = {file: file.stat().st_mtime_ns}
    paths: dict[Path, None] = {}
    for level, module, names in facts(file).imports:
        for name, _ in names:
            if level < 0:
                paths.update(dict.fromkeys(_files(name, _beside(file), looked)))
            else:
                paths.update(dict.fromkeys(_named(_base(level, module, file), name, _beside(file), looked)))
    _KNOWN[file] = looked, tuple(paths)
    return tuple(paths)


def _beside(file: Path) -> Path:
    """Where a file outside this project finds its neighbours: the folder that holds it, or its whole package."""
    folder = file.parent
    while (folder / "__init__.py").is_file():
        folder = folder.parent
    return folder


def _base(level: int, module: str, file: Path) -> str:
    """The dotted name that ``from … import`` starts from."""
    package = ""
    if level and file.is_relative_to(_PROJECT):
        package = ".".join(file.relative_to(_PROJECT).parts[:-level])
    return ".".join(filter(None, (package, module)))


def _named(base: str, name: str, beside: Path, looked: dict[Path, int]) -> Iterator[Path]:
    """The files that ``from base import name`` needs."""
    module = list(_files(f"{base}.{name}", beside, looked))
    package = next(
        (path for path in _files(base, beside, looked) if path.name == "__init__.py" and _is(path, base)), None
    )
    if module and name in (module[-1].stem, module[-1].parent.name if module[-1].name == "__init__.py" else ""):
        yield from module  # a module, not a name that the package offers
        return
    if package is None or not _only_offers(package, looked):
        yield from module
        return
    yield from (path for path in module if path != package)
    for level, module_name, names in facts(package).imports:
        for old, new in names if level >= 0 else ():
            if name in ("*", new) or old == "*":
                yield from _named(_base(level, module_name, package), old, _beside(package), looked)


def _is(path: Path, dotted: str) -> bool:
    """Whether a package file is that of the dotted name, not of a package above it."""
    return path.parent.name == dotted.rpartition(".")[2]


def _only_offers(package: Path, looked: dict[Path, int]) -> bool:
    """Whether a package file only imports names and lists them; that it was looked at is noted."""
    looked[package.resolve()] = package.stat().st_mtime_ns
    return facts(package).only_offers


def _files(name: str, beside: Path, looked: dict[Path, int]) -> Iterator[Path]:
    """The files that importing a dotted name runs: the packages on the way that do something, and the module itself."""
    parts = name.split(".")
    root = _PROJECT if parts[0] in _PACKAGES else beside
    for length in range(1, len(parts) + 1):
        place = root.joinpath(*parts[:length])
        for path in (place.with_suffix(".py"), place / "__init__.py"):
            if path.is_file():
                on_the_way = length < len(parts) and path.name == "__init__.py"
                if not (on_the_way and _only_offers(path, looked)):
                    yield path.resolve()
