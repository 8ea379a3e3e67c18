"""What `explain site` writes: from the manifest, whole, escaped, and from the sources that are committed."""

from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from explainers import runs
from explainers.errors import ExplainError
from explainers.quantities import Cited, Quantity
from scenes.cli import explain
from scenes.player import build_site, films_in, pages
from scenes.player.build import BUILT, MARK
from scenes.player.course import alternative
from scenes.player.escaping import script_data
from scenes.player.films import slug
from scenes.player.origins import Origins, address
from scenes.player.pictures import frames
from tests.scenes.built_pages import assert_built_again, assert_of_these_sources

WEB = BUILT.parent / "web"


def read(path: Path) -> Any:
    """The data in a data script, read as the browser does: one call with a name and a JSON value."""
    found = re.fullmatch(r'explainData\("([^"]+)",(.*)\);\n', path.read_text("utf-8"), re.DOTALL)
    assert found
    return json.loads(found[2])


class Tags(HTMLParser):
    """Every tag of a page with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_every_step_of_every_film_is_there(site: Path, request: pytest.FixtureRequest) -> None:
    course = read(site / "data" / "course.js")
    assert len(course["lectures"]) == 2
    for lecture in course["lectures"]:
        steps = [step for scene in lecture["scenes"] for step in scene["steps"]]
        numbers = read(site / "data" / f"{lecture['name']}.js")
        assert len(numbers["steps"]) == len(steps) > 3
        for step in steps:
            assert step["start"] <= step["still"] < step["stop"] < step["end"] + 0.05
            with Image.open(site / "films" / lecture["name"] / f"step-{step['picture']}.webp") as picture:
                assert picture.size == (lecture["width"], lecture["height"])
        assert numbers["captions"]
        assert (
            " ".join(text for _, _, text in numbers["captions"]).split() == " ".join(s["text"] for s in steps).split()
        )


def test_numbers_are_those_of_the_manifest(site: Path, request: pytest.FixtureRequest) -> None:
    films = (
        films_in(Path(request.getfixturevalue("small_films"))) if "2_small" in str(list(site.rglob("*.mp4"))) else []
    )
    for film in films:
        numbers = read(site / "data" / f"{film.name}.js")
        table = numbers["quantities"]
        for step, shown in zip(film.steps, numbers["steps"], strict=True):
            for had, has in zip([*step["numbers"], *step["said"]], [*shown["shown"], *shown["said"]], strict=True):
                entry = table[has["q"]]
                assert (has["text"], entry["value"], entry["unit"]) == (had["text"], had["value"], had["unit"])
                assert_chain(had["origin"], entry, table)


def assert_chain(origin: dict[str, Any], entry: dict[str, Any], table: list[dict[str, Any]]) -> None:
    if origin["kind"] == "cited":
        assert {name: entry["cited"][name] for name in ("source", "where", "date")} == {
            name: origin[name] for name in ("source", "where", "date")
        }
        return
    assert entry["computed"]["formula"] == origin["formula"]
    for had, index in zip(origin["inputs"], entry["computed"]["inputs"], strict=True):
        assert table[index]["value"] == had["value"]
        assert_chain(had["origin"], table[index], table)


def test_tensors_are_those_of_the_run(site: Path) -> None:
    seen = 0
    for path in sorted((site / "data" / "runs").glob("*.js")):
        data = read(path)
        trace = runs.get(
            data["run"], **{k: v for k, v in data["params"].items() if k in runs.CATALOGUE[data["run"]].defaults()}
        )
        assert trace.digest == data["digest"]
        for array in data["arrays"]:
            values = np.frombuffer(base64.b64decode(array["data"]), array["dtype"]).reshape(array["shape"])
            np.testing.assert_array_equal(values, trace[array["name"]].values)
            seen += values.size
    assert seen > 1000


def test_pictures_are_the_last_frames_of_the_steps(small_films: Path) -> None:
    film = films_in(small_films)[0]
    wanted = [step["end_frame"] - 1 for step in film.steps]
    with av.open(str(film.video)) as video:
        every = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
    found = list(frames(film.video, wanted, 15))
    assert len(found) == len(wanted) and wanted[-1] == len(every) - 1
    for number, image in zip(wanted, found, strict=True):
        np.testing.assert_array_equal(np.asarray(image), every[number])


def test_text_stays_text(site: Path) -> None:
    for path in site.rglob("*.html"):
        page = path.read_text("utf-8")
        tags = Tags(page).found
        assert {attributes.get("src") for tag, attributes in tags if tag == "script"} <= {
            "assets/player.js",
            "data/course.js",
        }
        for tag, attributes in tags:
            assert tag not in ("style", "iframe", "object", "embed", "base", "form")
            assert not [name for name in attributes if name.startswith("on") or name == "style"]
        assert any(a.get("http-equiv") == "Content-Security-Policy" and a["content"] == pages.policy() for _, a in tags)
    for path in (site / "data").rglob("*.js"):
        assert not set("<>&\u2028\u2029") & set(path.read_text("utf-8"))


def test_nothing_comes_from_elsewhere(site: Path) -> None:
    for path in [*site.rglob("*.html"), *site.rglob("*.css")]:
        text = path.read_text("utf-8")
        assert not re.search(r"(?:src|href)=[\"'](?:https?:)?//|url\([\"']?(?:https?:)?//|@import", text), path
    assert "unsafe-inline" not in pages.policy() and "'unsafe-eval'" not in pages.policy()


def test_data_script_escapes_and_comes_back() -> None:
    value = {"a</script><script>": ["<!--", "]]>", "&amp;", "\u2028\u2029", 'quo"te\\', "π"], "n": [1, 2.5, None, True]}
    script = script_data("x", value)
    assert not set("<>&\u2028\u2029") & set(script)
    assert json.loads(script[len('explainData("x",') : -3]) == value


def test_a_source_is_linked_where_it_can_be_read() -> None:
    assert address({"source": "DeepSeek-V3, arXiv 2412.19437", "url": ""}) == "https://arxiv.org/abs/2412.19437"
    assert address({"source": "a page", "url": "https://example.org/a"}) == "https://example.org/a"
    assert address({"source": "a book", "url": ""}) == ""
    assert address({"source": "x", "url": "javascript:alert(1)"}) == ""


def test_a_quantity_stands_once_in_the_table() -> None:
    heads = Quantity(128, "head", Cited("a paper", "2024-12-27"), "heads")
    both = (heads * 2).named("twice") + heads
    origins = Origins()
    index = origins.add(both.to_json())
    assert origins.add(both.to_json()) == index
    assert [entry["name"] for entry in origins.entries].count("heads") == 1
    assert all(
        inside < len(origins.entries) for e in origins.entries for inside in e.get("computed", {}).get("inputs", [])
    )


def test_slugs() -> None:
    assert [slug(name) for name in ("TheCacheGrows", "FromZeroToR1", "V3Base", "MLA", "MLAIsSmall")] == [
        "the-cache-grows",
        "from-zero-to-r1",
        "v3-base",
        "mla",
        "mla-is-small",
    ]


def test_text_alternative_names_what_is_seen() -> None:
    step = {
        "index": 2,
        "texts": ["a word"],
        "objects": ["tensor grid: scores"],
        "numbers": [{"text": "61", "name": "layers"}],
    }
    said = alternative(step, {"heading": "Here"})
    for part in ("step 2", "Here", "a word", "tensor grid: scores", "61 (layers)"):
        assert part in said


def test_steps_tell_their_words_and_objects(small_films: Path) -> None:
    film = films_in(small_films)[0]
    assert "a word on the picture" in film.steps[0]["texts"]
    assert any("original_scores" in one for one in film.steps[2]["objects"])
    assert not film.steps[3]["objects"]


def test_a_folder_of_somebody_else_is_left_alone(small_films: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(ExplainError, match="other things"):
        build_site(films_in(small_films), tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter.txt"]


def test_a_site_is_replaced_whole(small_films: Path, tmp_path: Path) -> None:
    out = tmp_path / "site"
    build_site(films_in(small_films), out)
    (out / "left-over.html").write_text("old")
    build_site(films_in(small_films, 2), out)
    assert (out / MARK).is_file() and not (out / "left-over.html").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["site"]
    assert [lecture["id"] for lecture in read(out / "data" / "course.js")["lectures"]] == ["2"]


def test_no_film_no_site(tmp_path: Path) -> None:
    with pytest.raises(ExplainError, match="explain render all"):
        explain.main(["site", "--films", str(tmp_path), "--out", str(tmp_path / "site")], standalone_mode=False)
    assert not (tmp_path / "site").exists()


def test_a_damaged_manifest_is_named(tmp_path: Path) -> None:
    (tmp_path / "3_mla").mkdir()
    (tmp_path / "3_mla" / "manifest.json").write_text('{"format": 1')
    with pytest.raises(ExplainError, match=r"manifest\.json"):
        films_in(tmp_path)


# ---------------------------------------------------------------------- the built page
def test_built_page_is_of_these_sources() -> None:
    assert_of_these_sources(WEB, *BUILT.glob("*.[jc]s*"))


def test_built_page_can_be_built_again(tmp_path: Path) -> None:
    assert_built_again(WEB, BUILT, tmp_path)


def test_page_script_is_light() -> None:
    assert len((BUILT / "player.js").read_bytes()) < 100_000
