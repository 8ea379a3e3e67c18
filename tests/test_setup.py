"""``./explain``: sets up once, mends what is half done, says what is wrong.

The script runs for real in a small clone whose Python, pip, pkg-config and apt-get are stand-ins that write down how
they were called, so nothing is downloaded.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ("explain", ".ci/run", ".ci/lock")

PYTHON = """#!/bin/bash
case "$*" in
*"-m venv "*)
    mkdir -p "$3/bin"; cp "$FAKE/bin/python3" "$3/bin/python"; touch "$3/pyvenv.cfg"
    echo venv >>"$FAKE/calls" ;;
*"-m pip --version"*) ;;
*"-m pip"*)
    echo "pip $*" >>"$FAKE/calls"
    sleep "$(cat "$FAKE/slow" 2>/dev/null || echo 0)"
    [ ! -e "$FAKE/offline" ] || { echo "NewConnectionError: no route"; exit 1; } ;;
*"-m scenes.cli"*)
    shift 3; printf 'cli'; printf ' <%s>' "$@"; echo
    exit "$(cat "$FAKE/status" 2>/dev/null || echo 0)" ;;
*"print("*) echo 3.12 ;;
--version) echo "Python 3.12.0" ;;
*version_info*) [ ! -e "$FAKE/old" ] ;;
esac
"""
PKG_CONFIG = '#!/bin/bash\n[ ! -e "$FAKE/bare" ]\n'
APT_GET = '#!/bin/bash\necho "apt-get $*" >>"$FAKE/calls"\ncase "$*" in *install*) rm -f "$FAKE/bare" ;; esac\n'
SUDO = '#!/bin/bash\n[ "$1" != -n ] || shift\necho "sudo $*" >>"$FAKE/calls"\n"$@"\n'
ID = '#!/bin/bash\ncat "$FAKE/uid"\n'


class Clone:
    """A copy of what `./explain` reads, in a folder whose name has a space, and stand-ins on the PATH."""

    def __init__(self, folder: Path) -> None:
        self.root, self.fake = folder / "a clone", folder / "fake tools"
        self.root.mkdir()
        (self.fake / "bin").mkdir(parents=True)
        for name in ("explain", "pyproject.toml", "requirements.lock", "requirements-test.lock"):
            shutil.copy(ROOT / name, self.root / name)
        tools = {"python3": PYTHON, "pkg-config": PKG_CONFIG, "apt-get": APT_GET, "sudo": SUDO, "id": ID}
        for name, text in (tools | {"cc": "#!/bin/sh\n"}).items():
            self.tool(name, text)
        self.given("uid", "0")

    def tool(self, name: str, text: str) -> None:
        """A stand-in on the PATH."""
        path = self.fake / "bin" / name
        path.write_text(text)
        path.chmod(0o755)

    def given(self, name: str, text: str = "") -> None:
        """Tell the stand-ins how to behave."""
        (self.fake / name).write_text(text)

    def environment(self, **more: str) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("EXPLAIN_", "PIP_"))}
        return kept | {"FAKE": str(self.fake), "PATH": f"{self.fake / 'bin'}:{os.environ['PATH']}"} | more

    def start(self, *arguments: str, **more: str) -> subprocess.Popen[str]:
        command = [str(self.root / "explain"), *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, env=self.environment(**more), stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True
        )

    def call(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments, **more)
        out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    @property
    def calls(self) -> list[str]:
        log = self.fake / "calls"
        return log.read_text().splitlines() if log.is_file() else []

    def forget_calls(self) -> None:
        (self.fake / "calls").unlink(missing_ok=True)


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


@pytest.mark.parametrize("script", SCRIPTS)
def test_script_is_valid_bash(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)
    subprocess.run(["bash", "-n", script], cwd=ROOT, check=True)


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
@pytest.mark.parametrize("script", SCRIPTS)
def test_shellcheck_finds_nothing(script: str) -> None:
    done = subprocess.run(["shellcheck", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_first_call_sets_up_and_hands_over(clone: Clone) -> None:
    done = clone.call("run", "two words", "--json")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "cli <run> <two words> <--json>\n"  # what set-up says goes to standard error
    assert "Set up in" in done.stderr
    installed = "\n".join(clone.calls)
    assert "requirements.lock" in installed
    assert "--editable" in installed
    assert "requirements-test.lock" not in installed


def test_second_call_installs_nothing(clone: Clone) -> None:
    clone.call("list")
    clone.forget_calls()
    done = clone.call("list")
    assert (done.stdout, done.stderr, clone.calls) == ("cli <list>\n", "", [])


def test_the_status_of_the_command_is_passed_on(clone: Clone) -> None:
    clone.given("status", "7")
    assert clone.call("check").returncode == 7


def test_test_packages_are_installed_for_test_only_and_once(clone: Clone) -> None:
    clone.call("list")
    clone.forget_calls()
    assert clone.call("test", "-k", "x").stdout == "cli <test> <-k> <x>\n"
    assert any("requirements-test.lock" in call for call in clone.calls)
    assert "venv" not in clone.calls
    clone.forget_calls()
    clone.call("docs")  # its tools are tested, too
    clone.call("test")
    clone.call("list")
    assert clone.calls == []


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml"])
def test_a_changed_lock_or_project_updates_in_place(clone: Clone, name: str) -> None:
    clone.call("list")
    clone.forget_calls()
    with (clone.root / name).open("a") as file:
        file.write("# changed\n")
    assert clone.call("list").returncode == 0
    assert "venv" not in clone.calls
    assert any("requirements.lock" in call for call in clone.calls)


def test_a_moved_clone_is_set_up_again(clone: Clone, tmp_path: Path) -> None:
    clone.call("list")
    clone.forget_calls()
    clone.root = clone.root.rename(tmp_path / "elsewhere")
    assert clone.call("list").returncode == 0
    assert any("--editable" in call and "elsewhere" in call for call in clone.calls)


def test_an_interrupted_set_up_is_done_again_from_scratch(clone: Clone) -> None:
    clone.given("slow", "2")
    process = clone.start("list")
    while not any(call.startswith("pip") for call in clone.calls):
        assert process.poll() is None
    process.kill()
    process.communicate()
    clone.given("slow", "0")
    clone.forget_calls()
    done = clone.call("list")
    assert done.returncode == 0, done.stderr
    assert "half made" in done.stderr
    assert "venv" in clone.calls


def test_two_at_once_set_up_once(clone: Clone) -> None:
    clone.given("slow", "0.3")
    both = [clone.start("list"), clone.start("list")]
    answers = [process.communicate(timeout=60) for process in both]
    assert [out for out, _ in answers] == ["cli <list>\n"] * 2
    assert clone.calls.count("venv") == 1
    assert sum("--editable" in call for call in clone.calls) == 1


def test_no_network_is_tried_twice_and_explained(clone: Clone) -> None:
    clone.given("offline")
    done = clone.call("list")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: could not install Manim, NumPy and the rest: no connection")
    assert sum("requirements.lock" in call for call in clone.calls) == 2
    assert done.stdout == ""


def test_after_a_failed_download_the_environment_is_taken_up(clone: Clone) -> None:
    clone.given("offline")
    clone.call("list")
    (clone.fake / "offline").unlink()
    clone.forget_calls()
    assert clone.call("list").stdout == "cli <list>\n"
    assert "venv" not in clone.calls


def test_missing_system_libraries_are_named_and_installed(clone: Clone) -> None:
    clone.given("bare")
    done = clone.call("list")
    assert done.returncode == 0, done.stderr
    installs = [call for call in clone.calls if call.startswith("apt-get install")]
    assert len(installs) == 1
    assert {"libcairo2-dev", "libpango1.0-dev"} <= set(installs[0].split())
    assert "gcc" not in installs[0].split()  # the compiler is there
    assert "libcairo2-dev" in done.stderr


def test_a_user_without_rights_goes_through_sudo(clone: Clone) -> None:
    clone.given("bare")
    clone.given("uid", "1000")
    assert clone.call("list").returncode == 0
    assert any(call.startswith("sudo") and "apt-get install" in call for call in clone.calls)


@pytest.mark.parametrize(
    ("driver", "choice", "asked"),
    [(False, "", ["+cpu"]), (True, "", [""]), (False, "cuda", [""]), (True, "cpu", ["+cpu"])],
)
@pytest.mark.skipif(sys.platform != "linux" or platform.machine() != "x86_64", reason="one build of torch elsewhere")
def test_the_build_of_torch_follows_the_machine(clone: Clone, driver: bool, choice: str, asked: list[str]) -> None:
    if driver:
        clone.tool("nvidia-smi", "#!/bin/sh\n")
    if shutil.which("nvidia-smi") and not driver and not choice:
        pytest.skip("this machine has an NVIDIA driver")
    assert clone.call("list", **({"EXPLAIN_TORCH": choice} if choice else {})).returncode == 0
    pins = [call.rpartition(" torch==")[2] for call in clone.calls if " torch==" in call]
    assert [pin.lstrip("0123456789.") for pin in pins] == asked


def test_an_unknown_build_of_torch_is_one_line(clone: Clone) -> None:
    done = clone.call("list", EXPLAIN_TORCH="gpu")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "error: EXPLAIN_TORCH=gpu is unknown; choose auto, cpu or cuda"


def test_no_python_that_fits_is_one_line(clone: Clone) -> None:
    clone.given("old")
    done = clone.call("list", EXPLAIN_PYTHON=str(clone.fake / "bin" / "python3"))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith("is not a Python 3.11 to 3.14")


def test_a_folder_that_is_no_environment_is_left_alone(clone: Clone, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").write_text("years of work")
    done = clone.call("list", EXPLAIN_VENV=str(precious))
    assert done.returncode == 1
    assert "is not a virtual environment" in done.stderr.splitlines()[-1]
    assert (precious / "thesis.txt").is_file()


def test_a_place_where_nothing_can_be_written_is_explained(clone: Clone) -> None:
    (clone.root / ".cache").write_text("a file where the folder should be")
    done = clone.call("list")
    assert done.returncode == 1
    assert done.stderr.startswith("error: cannot write in")


def test_it_can_be_called_through_a_link(clone: Clone, tmp_path: Path) -> None:
    clone.call("list")
    link = tmp_path / "explain link"
    link.symlink_to(clone.root / "explain")
    done = subprocess.run([link, "list"], env=clone.environment(), capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("cli <list>\n", "")


def test_locks_satisfy_the_project() -> None:
    from packaging.requirements import Requirement

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    torch = next(line for line in (ROOT / "explain").read_text().splitlines() if line.startswith("torch_version="))
    pins = [f"torch=={torch.partition('=')[2]}"]
    for lock in ("requirements.lock", "requirements-test.lock"):
        pins += [line for line in (ROOT / lock).read_text().splitlines() if line and not line.startswith("#")]
    locked = {pin.name: pin for pin in map(Requirement, pins) if pin.marker is None or pin.marker.evaluate()}
    wanted = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    for requirement in map(Requirement, wanted):
        (version,) = (specifier.version for specifier in locked[requirement.name].specifier)
        assert requirement.specifier.contains(version), f"{requirement} is locked to {version}; run .ci/lock"


def test_the_wheel_carries_what_the_packages_read(tmp_path: Path) -> None:
    from hatchling.build import build_wheel

    here = Path.cwd()
    os.chdir(ROOT)
    try:
        wheel = tmp_path / build_wheel(str(tmp_path))
    finally:
        os.chdir(here)
    inside = tmp_path / "installed"
    zipfile.ZipFile(wheel).extractall(inside)
    assert (inside / "explainers" / "_assets" / "facts").is_dir()
    program = (
        "from explainers import paths\nfrom scenes.registry import Course\n"
        "print(paths.assets(), *(lecture.path for lecture in Course.default().lectures), sep='\\n')"
    )
    environment = os.environ | {"PYTHONPATH": str(inside)}
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assets, *scripts = map(Path, answer.stdout.splitlines())
    assert assets == inside / "explainers" / "_assets"
    assert scripts == sorted((inside / "explainers" / "_lecture_scripts" / "en").glob("*.md"))
    assert len(scripts) == len(list((ROOT / "lecture_scripts" / "en").glob("*.md")))
