"""`render`: from targets to films. Only what is missing or changed is drawn; everything is moved into place whole."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from explainers import runs
from explainers.errors import ExplainError
from scenes import frame, voices
from scenes.door import Read
from scenes.environment import restored
from scenes.production import cache, executors, memory, pool, why
from scenes.production.assemble import assemble
from scenes.production.causes import cause
from scenes.production.plan import Job, wanted_runs
from scenes.production.pool import Failure, Task
from scenes.production.progress import Bars
from scenes.production.settings import FilmResult, Options
from scenes.production.speaking import Speaker
from scenes.registry import Course, SceneEntry, Selection, select


class RenderError(ExplainError):
    """Some scenes failed. What could be drawn is in the cache: the next render does only the rest."""

    def __init__(self, failures: Sequence[Failure], drawn: int) -> None:
        self.failures = tuple(failures)
        lines = "; ".join(failure.line() for failure in failures)
        kept = f" ({drawn} other scene{'s' if drawn != 1 else ''} drawn and kept)" if drawn else ""
        super().__init__(f"{lines}{kept}")


def render(targets: Sequence[str | int], options: Options, *, course: Course | None = None) -> list[FilmResult]:
    """Make films.

    Parameters
    ----------
    targets
        ``"3"``, ``"all"``, ``"CacheGrows"`` or ``"3/CacheGrows"``. A scene alone becomes a film of its own.
    options
        Size, rate, what is computed, where the films go.
    course
        Another course than the project's own.

    Raises `RenderError` after all other scenes were drawn, naming each that failed, its step and the cause;
    KeyboardInterrupt passes through once every process has ended and every temporary file is gone.
    """
    speaker = Speaker(voices.find(options.voice, options.voice_model)) if options.voice else None
    with _chosen(options):
        films = select([str(target) for target in targets], course or Course.default(options.lang))
        _must_match(films)
        must_fit([entry for film in films for entry in film.entries], options)
        jobs = {e.key: Job(e, options.picture_of(e.code), options.engine) for film in films for e in film.entries}
        with cache.workspace() as work:
            compute_runs(list(jobs.values()), work)
            if speaker:
                jobs = {name: replace(job, voiced=_timing(speaker, job.entry)) for name, job in jobs.items()}
                for film in films:
                    speaker.must_have_spoken(film.lecture)
            keys = {name: job.key for name, job in jobs.items()}
            bars = Bars({name: job.frames for name, job in jobs.items()})
            known: dict[Read, bool] = {}
            parts = {} if options.fresh else {name: part for name in jobs if (part := cache.find(keys[name], known))}
            reused = set(parts)
            with bars.shown_while("rendering"):
                for name in parts:
                    bars.reused(name)
                missing = {name: job for name, job in jobs.items() if name not in parts}
                failures = _draw(missing, keys, parts, options, work, bars)
            results = []
            for film in films:
                if _complete(film, parts):
                    try:
                        results.append(_film(film, parts, reused, options, work, speaker))
                    except OSError as error:
                        failures.append(Failure(film.name, 0, cause(error)))
        cache.prune()
        memory.prune()
        if failures:
            raise RenderError(failures, len(parts) - len(reused))
        return results


def _draw(
    jobs: dict[str, Job],
    keys: dict[str, str],
    parts: dict[str, cache.Part],
    options: Options,
    work: Path,
    bars: Bars,
) -> list[Failure]:
    """Draw what is missing, longest first, so that no long scene is left for the end; fills ``parts``."""
    ordered = sorted(jobs, key=lambda name: (-jobs[name].frames, name))
    folders = {name: work / f"scene{index}" for index, name in enumerate(ordered)}
    tasks = [Task(name, jobs[name].to_json(folders[name] / "part"), folders[name]) for name in ordered]
    for folder in folders.values():
        (folder / "part").mkdir(parents=True)

    reasons = {name: why.reasons(job, keys[name], options.fresh) for name, job in jobs.items()}

    def kept(task: Task) -> None:
        about = {
            "ingredients": jobs[task.name].ingredients,
            "because": reasons[task.name],
            "seconds": bars.took[task.name],
        }
        parts[task.name] = cache.keep(keys[task.name], folders[task.name] / "part", about)

    return executors.choose(options).run(tasks, bars, kept)


def compute_runs(jobs: list[Job], work: Path) -> None:
    """Compute, in a process of its own, the runs that are not remembered, before scenes ask for them."""
    missing = []
    for name, params in wanted_runs(jobs):
        if name not in runs.CATALOGUE:
            runs.get(name)  # the error that names the closest ones
        with suppress(ExplainError):  # the scene that asks for it says so, with its name and step
            if not runs.remembered(name, **params):
                missing.append((name, params))
    if not missing:
        return
    bars = Bars({})
    task = Task("runs", {"kind": "compute", "runs": missing}, work / "compute")
    with bars.shown_while("computing", len(missing)):
        failures = pool.run([task], 1, bars, lambda _: None)
    if failures:
        raise ExplainError(f"computing failed: {failures[0].cause}")


def _timing(speaker: Speaker, entry: SceneEntry) -> tuple[tuple[float, ...], ...]:
    return tuple(said.starts for said in speaker.says(entry))


def _film(
    film: Selection,
    parts: dict[str, cache.Part],
    reused: set[str],
    options: Options,
    work: Path,
    speaker: Speaker | None,
) -> FilmResult:
    names = [entry.key for entry in film.entries]
    said = [speaker.says(entry) for entry in film.entries] if speaker else []
    notes = speaker.notes(film.lecture) if speaker else []
    video, seconds = assemble(film, [parts[name] for name in names], options, work, said)
    return FilmResult(
        film.name,
        film.lecture.number,
        tuple(entry.name for entry in film.entries),
        video.parent,
        video,
        seconds,
        tuple(name for name in names if name not in reused),
        tuple(name for name in names if name in reused),
        tuple(notes),
    )


def _complete(film: Selection, parts: dict[str, cache.Part]) -> bool:
    return all(entry.key in parts for entry in film.entries)


def must_fit(entries: Sequence[SceneEntry], options: Options) -> None:
    """Scenes that are not laid out for the shape are named before anything is drawn, unless they become bands."""
    unfit = [entry.key for entry in entries if options.aspect not in entry.code.aspects]
    if unfit and options.unfit == "refuse":
        raise ExplainError(
            f"{len(unfit)} of {len(entries)} scenes are not laid out for {options.aspect}: {', '.join(unfit)}; choose "
            "others, or draw them 16:9 in a band with --unfit band"
        )


def _must_match(films: Sequence[Selection]) -> None:
    """A scene whose steps differ from its paragraphs is found before anything is drawn."""
    for film in films:
        for entry in film.entries:
            if entry.code.steps not in (None, len(entry.section.steps)):
                raise ExplainError(
                    f"{entry.code.where}: {entry.name} has {entry.code.steps} steps, {entry.section.where} has "
                    f"{len(entry.section.steps)} paragraphs; make them equal"
                )


@contextmanager
def _chosen(options: Options) -> Iterator[None]:
    """The user's choices in the environment, where workers inherit them; afterwards it is as it was."""
    with restored("EXPLAIN_CONTEXT", "EXPLAIN_LANG", frame.ENVIRONMENT):
        runs.add_context(**{name: getattr(options, name) for name in ("text", "seed", "device", "source")})
        os.environ["EXPLAIN_LANG"] = options.lang
        os.environ[frame.ENVIRONMENT] = options.aspect
        yield
