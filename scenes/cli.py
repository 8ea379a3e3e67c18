"""``explain``: the command line.

The group knows its commands by name only. A command's module is imported when the command is called, and it
imports what is heavy (Manim, torch) inside its functions, so that ``explain --help`` and ``explain list`` answer
at once.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path

import click

from explainers.errors import ExplainError

DISTRIBUTION = "explain-deepseek"
INTERRUPTED = 130  # what a shell reports for Ctrl-C


@dataclass(frozen=True)
class Entry:
    """A command: where it is (``"module:attribute"``) and its line in ``explain --help``."""

    target: str
    summary: str

    def load(self) -> click.Command:
        module, _, attribute = self.target.partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


#: In the order of ``explain --help``: the films, the numbers behind them, for contributors, the house.
COMMANDS: dict[str, Entry] = {
    "render": Entry("scenes.commands.render:render", "Render lectures or scenes to video, captions and manifest."),
    "play": Entry("scenes.commands.play:play", "Step through lectures in a browser, on this machine."),
    "site": Entry("scenes.commands.site:site", "Build a static site from the lectures that were rendered."),
    "export": Entry("scenes.commands.export:export", "Write lectures as a deck, PowerPoint, hand-out or notes."),
    "record": Entry("scenes.commands.record:record", "Record your own voice, step by step, or list what to record."),
    "publish-kit": Entry(
        "scenes.commands.publish_kit:publish_kit", "Make the folder to upload: film, chapters, sources, thumbnail."
    ),
    "still": Entry("scenes.commands.still:still", "Draw pictures of a scene's steps, in seconds."),
    "sheet": Entry("scenes.commands.sheet:sheet", "Draw one picture with the end of every step."),
    "gif": Entry("scenes.commands.gif:gif", "Write a scene, or one step, as a small GIF."),
    "list": Entry("scenes.commands.list:list_", "List lectures, scenes, steps and durations."),
    "run": Entry("scenes.commands.run:run", "Compute a run and print its tensors and key numbers."),
    "inspect": Entry("scenes.commands.inspect:inspect", "Say what a downloaded checkpoint is, without reading it."),
    "train": Entry("scenes.commands.train:train", "Train the small models and record the runs that ship."),
    "facts": Entry("scenes.commands.facts:facts", "Look up a cited figure and its source."),
    "plots": Entry("scenes.commands.plots:plots", "Draw one picture a run, and write the notes on the runs."),
    "check": Entry("scenes.commands.check:check", "Check scenes: origin of numbers, layout, timing, determinism."),
    "origin": Entry("scenes.commands.origin:origin", "Say where a number on screen or in the narration comes from."),
    "init": Entry("scenes.commands.init:init", "Write a course.toml: your lectures, order, look and language."),
    "script": Entry("scenes.commands.script:script", "Write the course in another language."),
    "new": Entry("scenes.commands.new:new", "Write a working scene, lecture, run or kit object to start from."),
    "plan": Entry("scenes.commands.plan:plan", "Say how long a render takes on 1 to 64 workers."),
    "cache": Entry(
        "scenes.commands.cache:cache", "Show the rendered scenes that are kept, why they were rendered; prune."
    ),
    "bench": Entry("scenes.commands.bench:bench", "Measure rendering against stock Manim."),
    "docs": Entry("scenes.commands.docs:docs", "Build the documentation: kit, runs, checks, a tutorial."),
    "watch": Entry("scenes.commands.watch:watch", "Show a scene in the browser while you write it."),
    "diff": Entry("scenes.commands.diff:diff", "Show which steps look different since a revision."),
    "doctor": Entry("scenes.commands.doctor:doctor", "Say what is installed, what lacks, and how to mend it."),
    "test": Entry("scenes.commands.test:test", "Run the tests of a clone: ruff, mypy and pytest."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return COMMANDS[cmd_name].load() if cmd_name in COMMANDS else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from explainers.errors import one_of

            raise one_of("command", args[0], list(COMMANDS))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])


def _print_version(ctx: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    click.echo(f"explain {_version()}")
    ctx.exit()


def _version() -> str:
    project = Path(__file__).resolve().parents[1] / "pyproject.toml"
    if project.is_file():  # in a clone
        import tomllib

        return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])
    from importlib.metadata import version

    return version(DISTRIBUTION)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="`explain COMMAND --help` shows a command's options. Start with `explain render 3`.",
)
@click.option("-v", "--verbose", is_flag=True, help="Show the traceback of an error.")
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Show the version."
)
def explain(verbose: bool) -> None:
    """How DeepSeek's models work: lectures whose pictures are drawn from tensors that were computed."""
    if verbose:
        os.environ["EXPLAIN_VERBOSE"] = "1"  # inherited by the processes that render


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 an error that the user can mend, 2 a wrong call, 130 Ctrl-C."""
    atexit.register(gc.freeze)  # nobody looks for cycles in what is left: after a render that took half a second
    try:
        status = explain.main(args=arguments, prog_name="explain", standalone_mode=False)
    except ExplainError as error:
        status = _failed(str(error), 1)
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("\ninterrupted", err=True)
        status = INTERRUPTED
    except BrokenPipeError:  # `explain list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    sys.exit(status if isinstance(status, int) else 0)


def _failed(message: str, status: int) -> int:
    if os.environ.get("EXPLAIN_VERBOSE"):
        traceback.print_exc()
    one_line = " ".join(message.split())
    click.echo(f"{click.style('error:', fg='red', bold=True)} {one_line}", err=True)
    return status


if __name__ == "__main__":
    main()
