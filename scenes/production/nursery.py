"""Where workers begin when many scenes are drawn: a process that has imported what draws, and forks one for each.

Importing Manim takes as long as drawing a second of film, and each scene has a process of its own. Here it is done once
a render. This process draws nothing itself and has one thread, so a fork of it is what a fresh process is after the
same imports: nothing of one scene reaches another. With it live and die its forks: they share its process group, and
leave when their standard input, which the parent holds, ends. Its own end of the line is `worker.serve`.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping

#: Elsewhere a process that has imported what draws cannot be relied on to go on after a fork (macOS says so itself).
WORKS = sys.platform == "linux"


class Gone(Exception):
    """It has ended: workers must start by themselves."""


class Nursery:
    """The parent's end."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Start importing; nothing is waited for."""
        self._door, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "scenes.production.worker", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # forks have their own; without a nursery workers start by themselves
                env=dict(environment),
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._said = self._door.makefile("r", encoding="ascii")
        self._ended: dict[int, int] = {}

    def start(self, stdin: int, stdout: int, stderr: int) -> Fork:
        """A worker, as `subprocess.Popen` would start one with these files."""
        try:
            socket.send_fds(self._door, [b"."], [stdin, stdout, stderr])
        except OSError as error:
            raise Gone from error
        while True:
            said = self._hear()
            if said is None:
                raise Gone
            if "status" not in said:
                return Fork(self, said["pid"])

    def status(self, pid: int) -> int | None:
        """How a fork ended; waits for that. None: the nursery ended before it, and nobody is left who knows."""
        while pid not in self._ended:
            if self._hear() is None:
                return None
        return self._ended.pop(pid)

    def _hear(self) -> dict[str, int] | None:
        """The next message, where a status is kept as well; None when the nursery is gone."""
        try:
            said: dict[str, int] = json.loads(self._said.readline() or "null")
        except (OSError, ValueError):
            return None
        if said and "status" in said:
            self._ended[said["pid"]] = said["status"]
        return said

    def close(self) -> None:
        """End it, and every fork that is left."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._said.close()
        self._door.close()


class Fork:
    """What `pool` asks of a process, of one that the nursery forked."""

    def __init__(self, nursery: Nursery, pid: int) -> None:
        self._nursery, self.pid = nursery, pid

    def wait(self) -> int | None:
        return self._nursery.status(self.pid)

    def kill(self) -> None:
        """At the latest with the nursery it ends."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
