"""`explain play` serves the site's folder to this machine, and nothing else to anybody."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from urllib.request import urlopen

import pytest

from explainers.errors import ExplainError
from scenes.player.server import LOOPBACK, Server, part_of, resolve, serve

FILM = bytes(range(256)) * 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("served")
    site = top / "site"
    (site / "films").mkdir(parents=True)
    (site / "index.html").write_text("<!doctype html>the page")
    (site / "films" / "a.mp4").write_bytes(FILM)
    (site / "films" / "ä b.txt").write_text("odd name")
    (site / ".hidden").write_text("hidden")
    (top / "secret.txt").write_text("secret")
    (top / "site-other").mkdir()
    (top / "site-other" / "secret.txt").write_text("secret")
    (site / "link.txt").symlink_to(top / "secret.txt")
    (site / "out").symlink_to(top)
    return site


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[Server]:
    with serve(folder) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def ask(server: Server, path: str, method: str = "GET", **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection(LOOPBACK, server.server_port, timeout=10)
    connection.putrequest(method, path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    response = connection.getresponse()
    return response, response.read()


def raw(server: Server, request: bytes) -> bytes:
    with socket.create_connection((LOOPBACK, server.server_port), timeout=10) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while block := connection.recv(65536):
            received += block
    return received


def test_page_and_its_headers(running: Server) -> None:
    response, body = ask(running, "/")
    assert (response.status, body) == (200, b"<!doctype html>the page")
    assert response.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_head_has_the_length_and_no_body(running: Server) -> None:
    response, body = ask(running, "/films/a.mp4", "HEAD")
    assert (response.status, body, response.headers["Content-Length"]) == (200, b"", str(len(FILM)))


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-99", 0, 99), ("bytes=500-", 500, len(FILM) - 1), ("bytes=-10", len(FILM) - 10, len(FILM) - 1)],
)
def test_ranges(running: Server, asked: str, first: int, last: int) -> None:
    response, body = ask(running, "/films/a.mp4", Range=asked)
    assert response.status == 206
    assert response.headers["Content-Range"] == f"bytes {first}-{last}/{len(FILM)}"
    assert body == FILM[first : last + 1]


def test_range_beyond_the_end_is_refused(running: Server) -> None:
    response, _ = ask(running, "/films/a.mp4", Range=f"bytes={len(FILM)}-")
    assert (response.status, response.headers["Content-Range"]) == (416, f"bytes */{len(FILM)}")


@pytest.mark.parametrize("asked", ["bytes=5-2", "bytes=0-1,4-5", "lines=1-2", "bytes=-", "nonsense"])
def test_ranges_that_make_no_sense_give_the_whole(running: Server, asked: str) -> None:
    response, body = ask(running, "/films/a.mp4", Range=asked)
    assert (response.status, body) == (200, FILM)
    assert part_of(asked, 10) is None


def test_unchanged_file_is_not_sent_twice(running: Server) -> None:
    response, _ = ask(running, "/films/a.mp4")
    again, body = ask(running, "/films/a.mp4", If_None_Match=response.headers["ETag"])
    assert (again.status, body) == (304, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/films/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/%2E%2E%2Fsecret.txt",
        "/films/%2e%2e/%2e%2e/secret.txt",
        "/..%5csecret.txt",
        "/..\\secret.txt",
        "//secret.txt",
        "/../site-other/secret.txt",
        "/link.txt",
        "/out/secret.txt",
        "/.hidden",
        "/films",
        "/films/",
        "/nothing.txt",
        "/index.html/",
        "/index.html%00.txt",
        "/%ff%fe",
        "/" + "a" * 5000,
        "http://example.org/secret.txt",
        "/%25%32%65%25%32%65/secret.txt",
    ],
)
def test_nothing_outside_the_folder(running: Server, folder: Path, path: str) -> None:
    answer = raw(
        running, f"GET {path} HTTP/1.1\r\nHost: localhost:{running.server_port}\r\nConnection: close\r\n\r\n".encode()
    )
    status = answer.split(b" ", 2)[1]
    assert status in (b"404", b"400", b"414"), answer[:200]
    assert b"secret" not in answer and b"hidden" not in answer
    assert resolve(folder.resolve(), path) is None


def test_odd_names_inside_are_found(running: Server) -> None:
    assert ask(running, "/films/%C3%A4%20b.txt?x=1")[1] == b"odd name"


@pytest.mark.parametrize("host", ["example.org", "127.0.0.1", "localhost:1", "", "127.0.0.1.example.org:80"])
def test_another_name_for_this_machine_is_refused(running: Server, host: str) -> None:
    assert ask(running, "/", Host=host)[0].status == 421


def test_only_reading(running: Server) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT"):
        assert ask(running, "/", method)[0].status == 501


@pytest.mark.parametrize(
    "request_", [b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x00", b"GET /\r\n"]
)
def test_nonsense_does_not_end_it(running: Server, request_: bytes) -> None:
    assert b"the page" not in raw(running, request_)
    assert ask(running, "/")[0].status == 200


def test_only_this_machine_reaches_it(running: Server) -> None:
    assert running.server_address[0] == "127.0.0.1"
    outside = socket.gethostbyname(socket.gethostname())
    if not outside.startswith("127."):
        with pytest.raises(OSError), socket.create_connection((outside, running.server_port), timeout=2):
            pass


def test_a_folder_without_a_site_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExplainError, match="explain site"):
        serve(tmp_path)


def test_a_port_that_is_taken_is_named(running: Server, folder: Path) -> None:
    with pytest.raises(ExplainError, match=f"port {running.server_port}"):
        serve(folder, running.server_port)


def test_play_opens_what_was_rendered_and_ends_quietly(site: Path, small_films: Path, tmp_path: Path) -> None:
    """``explain play`` as a command: the address on loopback, the page behind it, and Ctrl-C is no mistake."""
    course = small_films.parent
    own = {
        "EXPLAIN_CACHE": str(site.parent / "cache"),
        "EXPLAIN_COURSE": f"{course / 'scripts'}{os.pathsep}{course / 'lectures'}",
    }
    listening = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # a shell's background is deaf
    )
    begun = [sys.executable, "-c", f"{listening}; from scenes.cli import main; main()"]
    command = [*begun, "play", "2", "--no-browser", "--films", str(small_films)]
    with subprocess.Popen(
        [*command, "--out", str(tmp_path / "site")],
        env=os.environ | own,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            said = process.stdout.readline()
            found = re.match(r"(http://127\.0\.0\.1:\d+/)#2 ", said)
            assert found, said
            with urlopen(found[1]) as page:
                assert b"How DeepSeek" in page.read()
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
        finally:
            process.kill()
