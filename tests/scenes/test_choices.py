"""What the user may choose, odd inputs included: it is shown, said on screen, or refused with a reason."""

from __future__ import annotations

import pytest

from explainers import runs
from explainers.errors import ExplainError
from explainers.model import model_folder
from scenes.audit.walking import audit
from scenes.cli import main
from scenes.kit.origin import origin_text
from scenes.registry import Course

LONG = " ".join(["The river ran past the old mill and the children counted boats."] * 34)


@pytest.fixture(autouse=True)
def nothing_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLAIN_CONTEXT", "{}")


@pytest.mark.parametrize(
    ("chosen", "says"), [({"seed": -1}, "-1 is negative"), ({"text": " \n"}, "text is empty; give at least one word")]
)
def test_choices_that_cannot_be(chosen: dict[str, object], says: str) -> None:
    with pytest.raises(ExplainError, match=says):
        runs.Context(**chosen)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--seed", "-1"], "negative"),
        (["--text", ""], "empty"),
        (["--source", "nonsense"], "unknown source 'nonsense'; choose small"),
        (["--device", "tpu"], "unknown device 'tpu'"),
    ],
)
def test_the_command_line_says_what_is_wrong(
    options: list[str], says: str, capsys: pytest.CaptureFixture[str], tmp_path
) -> None:
    with pytest.raises(SystemExit) as done:
        main(["still", "1/ThreeLevers", "1", "--quality", "480p", "--out", str(tmp_path), *options])
    assert done.value.code == 1
    assert says in capsys.readouterr().err


def test_an_unknown_source_names_the_known_ones(tmp_path) -> None:
    assert model_folder("small_mha").name == "small_mha"
    with pytest.raises(ExplainError, match="small_mha"):
        model_folder("smal")
    with pytest.raises(ExplainError, match=r"config\.json"):
        model_folder(str(tmp_path))


def test_the_origin_line_says_what_was_chosen() -> None:
    trace = runs.get("untrained_gate")
    assert origin_text([trace]) == "computed: run untrained_gate"
    runs.set_context(runs.Context(text="Snow falls.", seed=3, source="small_mha"))
    assert origin_text([trace]) == "computed: run untrained_gate of small_mha, your text, seed 3"
    assert runs.choices("kv_attentions") == ""  # nothing of it depends on what was chosen
    assert runs.choices("no_such_run") == ""


#: A scene of each lecture that shows tensors, with a text that is hard to draw.
SCENES = [
    ("1/ThreeLevers", "Snow"),
    ("3/PositionBreaksIt", "Snow"),
    ("3/AnotherOrder", LONG),
    ("3/WhyAModelRemembers", "I 💙 snow ❄️!"),
    ("3/AShortNote", "שלום עולם, مرحبا بالعالم"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("scene", "text"), SCENES, ids=[f"{scene}-{len(text)}" for scene, text in SCENES])
def test_odd_texts_are_drawn(scene: str, text: str) -> None:
    runs.set_context(runs.Context(text=text))
    number, name = scene.split("/")
    course = Course.default()
    found = audit(course.entry(course.lecture(int(number)), name))
    assert [(finding.code, finding.object) for finding in found.findings] == []
