"""The processes behind ``explain watch``: each is a fork that stands still where a drawing can begin or be taken up.

The first imports Manim, and forks the *base*, which imports the project; the base forks a process that plays the scene;
and before each step that one leaves a fork of itself behind. A fork listens on a socket, and does what it is told in a
fork of its own, so that it can be used again. All end when their standard input ends, which is the watcher's end.

What happens is told in JSON lines on the first one's standard output, a line in one write.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Order = Mapping[str, Any]
_LONGEST = 2500  # characters of a message: a line must go through a pipe in one piece


def tell(event: str, **details: Any) -> None:
    """One line to the watcher."""
    line = json.dumps({"event": event, "pid": os.getpid(), **details}, ensure_ascii=False)
    os.write(_answers(), line.encode() + b"\n")


_OUT: list[int] = []


def _answers() -> int:
    return _OUT[0] if _OUT else 1


# ---------------------------------------------------------------------- standing still
def listener(path: Path) -> socket.socket:
    """A socket at this path, to be served by the process that is about to be forked."""
    path.unlink(missing_ok=True)
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(path))
    made.listen()
    return made


def stand(door: socket.socket, act: Callable[[Order], None]) -> None:
    """Serve orders, each in a fork; never returns."""
    while True:
        ready, _, _ = select.select([door.fileno(), 0], [], [])
        if 0 in ready:  # nobody writes there: it has ended
            os._exit(0)
        order = _read(door)
        if os.fork() == 0:
            door.close()
            act(order)
            os._exit(0)


def _read(door: socket.socket) -> Order:
    connection, _ = door.accept()
    with connection, connection.makefile("rb") as file:
        order: Order = json.loads(file.readline())
        return order


def order(path: Path, **details: Any) -> None:
    """Tell the process at this socket what to do."""
    with socket.socket(socket.AF_UNIX) as door:
        door.connect(str(path))
        door.sendall(json.dumps(details).encode() + b"\n")


# ---------------------------------------------------------------------- the first and the base
def main() -> None:
    """The first process: imports what does not belong to the project, and forks bases."""
    folder = Path(sys.argv[1])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the watcher
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # forks that end are not waited for
    _OUT.append(os.dup(1))
    os.dup2(2, 1)  # a print in a scene must not look like an answer
    import av  # noqa: F401
    import manim  # noqa: F401
    import scipy.stats  # noqa: F401

    door = listener(folder / "first")
    tell("first")
    stand(door, _base)


def _base(order: Order) -> None:
    """Import the project, then stand where every drawing begins."""
    try:
        import scenes.audit.goldens
        import scenes.kit
        import scenes.production.drawing
        import scenes.workshop.performing  # noqa: F401
    except Exception as error:
        say_error(error, 0, "")
        return
    from scenes.workshop.performing import act

    door = listener(Path(order["socket"]))
    tell("base", version=order["version"])
    stand(door, act)


def say_error(error: BaseException, step: int, file: str, **details: Any) -> None:
    """Tell what was raised, and the line of the scene's file that it came from."""
    from explainers.errors import ExplainError

    kind = "" if isinstance(error, ExplainError) else f"{type(error).__name__}: "
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    where = f"{Path(file).name}:{frames[-1].lineno}" if frames else ""
    trace = "".join(traceback.format_exception(error))
    tell("error", step=step, text=f"{kind}{error}"[:600], where=where, trace=trace[-_LONGEST:], **details)
