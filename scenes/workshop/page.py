"""The page of ``explain watch``: a server for this machine alone, from the standard library."""

from __future__ import annotations

import json
import queue
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from explainers.errors import ExplainError
from scenes.workshop.watching import Watch

ADDRESS = "127.0.0.1"
_HOSTS = ("127.0.0.1", "localhost")
_TYPES = {".png": "image/png", ".mp4": "video/mp4"}
_KEEP_ALIVE_SECONDS = 10
_PAGE = Path(__file__).with_name("templates") / "watch.html"


class Page(ThreadingHTTPServer):
    """Serves one watch: the page, its events, pictures and films."""

    daemon_threads = True

    def __init__(self, watch: Watch, port: int = 0) -> None:
        try:
            super().__init__((ADDRESS, port), _Handler)
        except OSError as error:
            raise ExplainError(f"port {port} cannot be used ({error.strerror}); choose another with --port") from error
        self.watch = watch

    @property
    def url(self) -> str:
        return f"http://{ADDRESS}:{self.server_port}/"

    def view(self) -> str:
        """What the page shows now, as JSON."""
        with self.watch.lock:
            return json.dumps(self.watch.view.to_json(), ensure_ascii=False)

    @contextmanager
    def heard(self) -> Iterator[queue.Queue[str]]:
        """A queue of views, the present one first."""
        views: queue.Queue[str] = queue.Queue()
        with self.watch.lock:
            views.put(self.view())
            self.watch.listeners.append(views.put)
        try:
            yield views
        finally:
            self.watch.listeners.remove(views.put)


class _Handler(BaseHTTPRequestHandler):
    server: Page

    def do_GET(self) -> None:
        """The page, ``/events``, or a file of the watch by its name."""
        if not self._from_here():
            return
        path = urlsplit(self.path).path
        if path == "/":
            page = _PAGE.read_text(encoding="utf-8").replace("/*view*/", self.server.view().replace("</", "<\\/"))
            self._answer(page.encode(), "text/html; charset=utf-8")
        elif path == "/events":
            self._events()
        else:
            self._file(path.removeprefix("/"))

    def do_POST(self) -> None:
        """``/film/2``: film the second step."""
        if not self._from_here():
            return
        what, _, step = urlsplit(self.path).path.removeprefix("/").partition("/")
        if what != "film" or not step.isdigit():
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        try:
            self.server.watch.film(int(step))
        except (ExplainError, OSError) as error:
            self._answer(str(error).encode(), "text/plain; charset=utf-8", HTTPStatus.CONFLICT)
            return
        self._answer(b"filming", "text/plain")

    def _from_here(self) -> bool:
        """Another site's page may make a browser ask, but it asks in its own name."""
        host = self.headers.get("Host", "").partition(":")[0]
        origin = urlsplit(self.headers.get("Origin", "")).hostname
        if host in _HOSTS and origin in (None, *_HOSTS):
            return True
        self.send_error(HTTPStatus.FORBIDDEN)
        return False

    def _file(self, name: str) -> None:
        path = self.server.watch.folder / name
        if "/" in name or path.suffix not in _TYPES or not path.is_file():
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self._answer(path.read_bytes(), _TYPES[path.suffix])

    def _answer(self, body: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def _events(self) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        with self.server.heard() as views:
            while True:
                try:
                    line = f"data: {views.get(timeout=_KEEP_ALIVE_SECONDS)}\n\n"
                except queue.Empty:
                    line = ": still here\n\n"
                try:
                    self.wfile.write(line.encode())
                    self.wfile.flush()
                except OSError:  # the page was closed
                    return

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not printed."""
