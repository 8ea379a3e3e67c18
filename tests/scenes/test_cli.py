"""The command line: what it answers, how fast it can answer, how it fails."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result

from explainers import runs
from explainers.errors import ExplainError
from explainers.quantities import constant
from explainers.traces import NamedArray, Trace
from scenes import cli
from scenes.commands import test as test_command
from scenes.commands.common import as_minutes

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "manim", "scipy", "av")


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own, from another folder than the clone."""
    return subprocess.run(
        [sys.executable, "-m", "scenes.cli", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli.explain, arguments, catch_exceptions=True)


def tiny(*, seed: int = 0, size: int = 3, text: str = "a b") -> Trace:
    """A run that takes no time: its numbers follow from its parameters."""
    array = NamedArray(np.arange(size, dtype=np.float32) + seed, ("token",), "ramp", "nats")
    return Trace("tiny", {"ramp": array}, {"words": constant(len(text.split()))}, {"size": size, "text": text}, seed)


@pytest.fixture
def tiny_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """`tiny` in the catalogue, with a cache of its own."""
    monkeypatch.setitem(runs.CATALOGUE, "tiny", runs.Run("tiny", f"{__name__}:tiny", "A ramp."))
    monkeypatch.setenv("EXPLAIN_CACHE", str(tmp_path))
    monkeypatch.setenv("EXPLAIN_CONTEXT", "{}")
    return "tiny"


def test_help_names_every_command() -> None:
    answer = call("--help")
    assert answer.returncode == 0
    for name, entry in cli.COMMANDS.items():
        assert f"  {name} " in answer.stdout
        assert entry.summary.split()[0] in answer.stdout


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_every_command_loads_and_helps(name: str) -> None:
    command = cli.COMMANDS[name].load()
    assert isinstance(command, click.Command)
    answer = invoke(name, "--help")
    assert answer.exit_code == 0, answer.output
    assert "Usage:" in answer.output


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["list"], ["run", "list"], ["render", "--help"]], ids=" ".join
)
def test_nothing_heavy_is_imported_to_answer(arguments: list[str]) -> None:
    program = (
        "import sys\nfrom scenes.cli import main\n"
        f"try: main({arguments!r})\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        f"print('HEAVY', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.stdout.splitlines()[-1:] == ["HEAVY []"], answer.stdout + answer.stderr


def test_version_is_that_of_the_project() -> None:
    answer = call("--version")
    assert answer.returncode == 0, answer.stderr
    assert f'version = "{answer.stdout.split()[-1]}"' in (ROOT / "pyproject.toml").read_text()


def test_an_unknown_command_names_the_nearest() -> None:
    answer = call("rendr")
    assert answer.returncode == 1
    assert answer.stderr.splitlines() == ["error: unknown command 'rendr'; did you mean render or record or run?"]


def test_an_error_for_users_is_one_line_without_traceback() -> None:
    answer = call("run", "no_such_run")
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert len(answer.stderr.splitlines()) == 1
    assert answer.stderr.startswith("error: unknown run 'no_such_run'")


def test_verbose_adds_the_traceback() -> None:
    answer = call("-v", "run", "no_such_run")
    assert answer.returncode == 1
    assert "Traceback" in answer.stderr
    assert answer.stderr.splitlines()[-1].startswith("error: unknown run")


def test_a_wrong_option_is_a_usage_error() -> None:
    answer = call("render", "--colour", "red")
    assert answer.returncode == 2
    assert "No such option" in answer.stderr


def test_ctrl_c_ends_with_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    @click.command()
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.Entry, "load", lambda entry: interrupted)
    with pytest.raises(SystemExit) as end:
        cli.main(["list"])
    assert end.value.code == 130
    assert "Traceback" not in capsys.readouterr().err


def test_a_closed_pipe_is_no_error() -> None:
    answer = subprocess.run(
        f"{sys.executable} -m scenes.cli run list | head -c 1", shell=True, cwd=ROOT, capture_output=True, check=False
    )
    assert answer.stderr == b""


def test_list_json_has_the_documented_shape() -> None:
    answer = call("list", "--json")
    assert answer.returncode == 0, answer.stderr
    lectures = json.loads(answer.stdout)
    assert lectures
    for lecture in lectures:
        assert set(lecture) == {"lecture", "title", "seconds", "scenes"}
        assert lecture["seconds"] == pytest.approx(sum(scene["seconds"] for scene in lecture["scenes"]), abs=0.01)
        assert all(scene["steps"] >= 1 and scene["seconds"] > 0 for scene in lecture["scenes"])


def test_list_names_every_scene_of_the_json() -> None:
    text, lectures = call("list").stdout, json.loads(call("list", "--json").stdout)
    for lecture in lectures:
        assert lecture["title"] in text
        assert all(scene["scene"] in text for scene in lecture["scenes"])


def test_run_prints_tensors_digest_and_numbers(tiny_run: str) -> None:
    answer = invoke("run", tiny_run)
    assert answer.exit_code == 0, answer.output
    trace = runs.get(tiny_run)
    assert trace.digest in answer.output
    assert "ramp  (token 3)  float32, nats" in answer.output
    assert "words  2" in answer.output


def test_run_takes_parameters_text_and_seed(tiny_run: str) -> None:
    answer = invoke("run", tiny_run, "--json", "-p", "size=5", "--text", "one two three", "--seed", "7")
    data = json.loads(answer.output)
    assert data["arrays"]["ramp"]["shape"] == [5]
    assert data["quantities"]["words"]["value"] == 3
    assert data["seed"] == 7


def test_run_saves_what_can_be_loaded_again(tiny_run: str, tmp_path: Path) -> None:
    target = tmp_path / "tiny.safetensors"
    assert invoke("run", tiny_run, "--save", str(target)).exit_code == 0
    assert Trace.load(target).digest == runs.get(tiny_run).digest


@pytest.mark.parametrize(("option", "message"), [("size", "write -p key=value"), ("sise=4", "did you mean size")])
def test_a_wrong_parameter_is_explained(tiny_run: str, option: str, message: str) -> None:
    answer = invoke("run", tiny_run, "-p", option)
    assert isinstance(answer.exception, ExplainError)
    assert message in str(answer.exception)


def test_run_list_knows_the_whole_catalogue() -> None:
    listed = {entry["run"] for entry in json.loads(call("run", "list", "--json").stdout)}
    assert listed == set(runs.CATALOGUE)


@pytest.mark.parametrize(("seconds", "text"), [(8.24, "8.2 s"), (59.4, "59.4 s"), (60, "1:00"), (315.4, "5:15")])
def test_as_minutes(seconds: float, text: str) -> None:
    assert as_minutes(seconds) == text


def test_slow_tests_are_chosen_by_name_only() -> None:
    assert "slow or not slow" in test_command.command(True, ())
    assert "slow or not slow" not in test_command.command(False, ())
    assert test_command.command(False, ("-k", "router"))[-2:] == ["-k", "router"]


def test_test_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(test_command, "NEEDED", ("pytest", "no_such_tool"))
    answer = invoke("test")
    assert isinstance(answer.exception, ExplainError)
    assert "no_such_tool" in str(answer.exception)


@pytest.mark.parametrize("command", [["render", "3"], ["run", "kv_generations"]])
def test_a_device_that_is_not_there_is_refused_even_where_records_are_read(command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scenes", *command, "--device", "tpu"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.strip() == "error: unknown device 'tpu'; choose cpu, cuda or auto"
