"""`explain play`: the site on this machine alone. Loopback only, reading only, nothing outside the site's folder."""

from __future__ import annotations

import mimetypes
import os
import re
from collections.abc import Iterator
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from explainers.errors import ExplainError
from scenes.player import pages

LOOPBACK = "127.0.0.1"
_CHUNK = 1 << 18
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".vtt": "text/vtt; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
    ".mp4": "video/mp4",
}


class Server(ThreadingHTTPServer):
    """Serves ``folder`` on the loopback interface."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.folder = folder.resolve()
        try:
            super().__init__((LOOPBACK, port), Handler)
        except OSError as error:
            raise ExplainError(f"port {port} cannot be used ({error.strerror}); choose another with --port") from error

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.server_port}/"

    def hosts(self) -> set[str]:
        """What the Host header of a request from this machine says. Another name means a page elsewhere that had its
        own name resolved to here."""
        return {f"{name}:{self.server_port}" for name in (LOOPBACK, "localhost")}


def serve(folder: Path, port: int = 0) -> Server:
    """A server for a built site; call ``serve_forever`` on it."""
    if not (folder / "index.html").is_file():
        raise ExplainError(f"{folder} has no index.html; build a site with `explain site --out {folder}`")
    return Server(folder, port)


def resolve(folder: Path, target: str) -> Path | None:
    """The file that a request's target names, or None: nothing hidden, nothing outside ``folder``, no directory."""
    try:
        path = unquote(urlsplit(target).path, errors="strict")
    except (ValueError, UnicodeDecodeError):
        return None
    if not path.startswith("/") or "\0" in path or "\\" in path:
        return None
    parts = PurePosixPath(path).parts[1:]
    if any(part.startswith(".") for part in parts):
        return None
    found = folder.joinpath(*parts)
    if path.endswith("/"):
        found = found / "index.html"
    try:
        whole = found.resolve(strict=True)
    except (OSError, ValueError, RuntimeError):
        return None
    return whole if whole.is_file() and whole.is_relative_to(folder) else None


def part_of(header: str | None, size: int) -> tuple[int, int] | None:
    """First and last byte that a Range header asks for; None for all of it. `ValueError` where none of it exists.

    Several ranges at once, other units and nonsense are answered with the whole (RFC 9110, section 14.2).
    """
    found = _RANGE.fullmatch(header.strip()) if header else None
    if not found or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        start, end = max(0, size - int(last)), size - 1
    else:
        start, end = int(first), min(int(last), size - 1) if last else size - 1
        if last and int(last) < start:
            return None
    if start >= size or start > end:
        raise ValueError("no such bytes")
    return start, end


class Handler(BaseHTTPRequestHandler):
    """GET and HEAD of files, with ranges."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "explain"
    sys_version = ""
    timeout = 60

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def _answer(self, *, body: bool) -> None:
        if self.headers.get("Host", "") not in self.server.hosts():
            self._refuse(HTTPStatus.MISDIRECTED_REQUEST)
            return
        path = resolve(self.server.folder, self.path)
        if path is None:
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        with path.open("rb") as file:
            about = os.fstat(file.fileno())
            tag = f'"{about.st_mtime_ns:x}-{about.st_size:x}"'
            if self.headers.get("If-None-Match") == tag:
                self.send_response(HTTPStatus.NOT_MODIFIED)
                self._headers(path, tag, about.st_mtime)
                self.end_headers()
                return
            try:
                part = part_of(self.headers.get("Range"), about.st_size)
            except ValueError:
                self._refuse(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, {"Content-Range": f"bytes */{about.st_size}"})
                return
            start, end = part or (0, about.st_size - 1)
            self.send_response(HTTPStatus.PARTIAL_CONTENT if part else HTTPStatus.OK)
            if part:
                self.send_header("Content-Range", f"bytes {start}-{end}/{about.st_size}")
            self.send_header("Content-Length", str(end - start + 1))
            self._headers(path, tag, about.st_mtime)
            self.end_headers()
            if body:
                file.seek(start)
                for block in _blocks(file, end - start + 1):
                    self.wfile.write(block)

    def _headers(self, path: Path, tag: str, modified: float) -> None:
        kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        self.send_header("Content-Type", kind)
        self.send_header("ETag", tag)
        self.send_header("Last-Modified", formatdate(modified, usegmt=True))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Cache-Control", "no-cache")

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", pages.policy(header=True))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        super().end_headers()

    def _refuse(self, status: HTTPStatus, more: dict[str, str] | None = None) -> None:
        words = f"{status.value} {status.phrase}\n".encode()
        self.send_response(status)
        for name, value in (more or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(words)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(words)

    def handle(self) -> None:
        try:
            super().handle()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the browser has what it wanted of a film

    def log_message(self, format: str, *args: object) -> None:
        """Silent: a film makes hundreds of requests."""


def _blocks(file: object, left: int) -> Iterator[bytes]:
    while left > 0 and (block := file.read(min(_CHUNK, left))):  # type: ignore[attr-defined]
        left -= len(block)
        yield block
