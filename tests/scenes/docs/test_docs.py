"""``explain docs``: a small part is built; what is complete, what runs and what is fetched is checked."""

from __future__ import annotations

import ast
import builtins
import re
from pathlib import Path

import pytest

from explainers import runs
from explainers.errors import ExplainError
from scenes.audit.findings import CODES
from scenes.docs import apart, check_pages, examples, house, kit_pages, portraits, site
from scenes.kit.examples.showing import examples as known
from scenes.production import plots

ROOT = Path(__file__).resolve().parents[3]
PART = ("TensorGrid", "BarChart", "label", "low_rank", "kv_attentions", "late-mark", "said-without-origin", "house")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A part of the documentation, built."""
    out = tmp_path_factory.mktemp("docs") / "html"
    site.build(out, PART)
    return out


def text_of(page: Path) -> str:
    return re.sub(r"<[^>]+>", "", page.read_text("utf-8")).replace("&#64;", "@").replace("&quot;", '"')


# ---------------------------------------------------------------------- what is there
def test_every_object_of_the_kit_has_an_example() -> None:
    lacking = set(kit_pages.objects()) - set(known())
    assert not lacking, f"write an example of {sorted(lacking)} in scenes/kit/examples/ (see `explain new kit-object`)"


def test_every_code_has_a_pair_of_pictures() -> None:
    assert {*check_pages.animals(), *apart.CODES} == set(CODES)
    families = [code for first, last in check_pages.FAMILIES.values() for code in (first, last)]
    assert [code for code in CODES if code in families] == families
    assert families[0] == next(iter(CODES))
    assert families[-1] == [*CODES][-1]


def test_a_page_an_object_and_a_run(pages: Path) -> None:
    for name in (
        "kit/TensorGrid",
        "kit/BarChart",
        "kit/label",
        "runs/low_rank",
        "runs/kv_attentions",
        "checks",
        "house",
    ):
        assert (pages / f"{name}.html").is_file()
    assert not (pages / "kit" / "LineChart.html").exists()


def test_a_page_shows_the_picture_and_the_code_that_drew_it(pages: Path) -> None:
    page = pages / "kit" / "TensorGrid.html"
    assert re.search(r'<img[^>]*src="\.\./_images/TensorGrid\d*\.png"', page.read_text("utf-8"))
    shown = text_of(page)
    assert 'latent = runs.get("mla_sentence")["c_kv"].pick(layer=1)' in shown
    assert "colour scale" in shown  # from the docstrings


def test_a_run_has_its_tensors_numbers_and_plot(pages: Path) -> None:
    shown = text_of(pages / "runs" / "kv_attentions.html")
    trace = runs.get("kv_attentions")
    for name in trace.arrays:
        assert name in shown
    assert trace.quantity("mla").text() in shown
    assert len(list((pages / "_images").glob("kv_attentions*.png"))) >= 2


def test_the_codes_show_what_is_caught(pages: Path) -> None:
    shown = text_of(pages / "checks.html")
    assert "Caught: mark [[soon]]: 1.0 s after its word" in shown
    assert len(list((pages / "_images").glob("*-bad.png"))) == len(list((pages / "_images").glob("*-good.png"))) == 2


def test_nothing_is_fetched_from_elsewhere(pages: Path) -> None:
    for page in pages.rglob("*.html"):
        for tag in re.findall(r"<(?:script|link|img|iframe|source)\b[^>]*>", page.read_text("utf-8")):
            if 'rel="canonical"' not in tag:
                assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", tag), f"{page.name}: {tag}"
    for sheet in pages.rglob("*.css"):
        assert not re.search(r"(?:@import|url\()\s*['\"]?(?:https?:)?//", sheet.read_text("utf-8")), sheet.name
    assert (pages / "_static" / "fonts" / "sans.ttf").stat().st_size > 100_000


# ---------------------------------------------------------------------- parts
def test_examples_end_with_what_they_return_and_import_what_they_use() -> None:
    for name, example in known().items():
        tree = ast.parse(examples.code(example.build))
        last = tree.body[-1]
        assert isinstance(last, ast.Assign), name
        assert ast.unparse(last.targets[0]) == examples.RESULT, name
        assert example.caption.endswith("."), f"{name}: the docstring of its example is the caption of its picture"
        bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        bound |= {alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom | ast.Import)
                  for alias in node.names}  # fmt: skip
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - set(dir(builtins))
        assert used <= bound, f"{name}: {sorted(used - bound)} is not imported in the module of its example"


def test_the_house_is_what_the_imports_are() -> None:
    seen = house.read()
    assert seen.imports["scenes.kit", "explainers"] > 50
    assert not any(one.startswith("explainers") and two.startswith("scenes") for one, two in seen.imports)
    level = {room: index for index, row in enumerate(seen.shelves()) for room in row}
    assert set(level) == set(seen.modules)
    assert not seen.circles()
    assert all(level[one] > level[two] for one, two in seen.imports)  # arrows run down only
    assert set(seen.arrows()) <= set(seen.imports)
    drawn = house.drawing(seen)
    assert drawn.count("<rect") == len(seen.modules)
    assert drawn.count('class="arrow"') == len(seen.arrows())


def test_a_portrait_of_any_tensor() -> None:
    trace = runs.get("mla_sentence")
    flat, words = portraits.plane(trace["q_nope"])
    assert (flat.axes, words) == (("head", "nope"), "layer 0, token R")
    for name in ("next_probability", "c_kv", "bytes_held"):
        assert portraits.portrait(trace[name]) is not None


def test_an_unknown_page_and_a_foreign_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ExplainError, match="did you mean TensorGrid"):
        site.build(tmp_path / "docs", ["TensorGrit"])
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ExplainError, match="holds something else"):
        site.build(tmp_path, ["house"])
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_without_the_tools_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "NEEDED", {"no_such_module_here": "furo"})
    with pytest.raises(ExplainError, match="needs furo"):
        site.check_installed()


# ---------------------------------------------------------------------- the whole
@pytest.mark.slow
def test_all_of_it(tmp_path: Path) -> None:
    """Every example runs, every run has its page, each bad scene is caught and none of the mended ones."""
    site.build(tmp_path / "html")
    built = {str(page.relative_to(tmp_path / "html").with_suffix("")) for page in tmp_path.rglob("*.html")}
    assert {f"kit/{name}" for name in known()} <= built
    assert {f"runs/{name}" for name in plots.plots()} <= built
    assert set(plots.plots()) == set(runs.CATALOGUE), "a run has no plot: write one in scenes/production/plotted/"
    shown = text_of(tmp_path / "html" / "checks.html")
    assert all(code in shown for code in CODES)
