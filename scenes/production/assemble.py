"""From drawn scenes to a film: packets copied without encoding again, sound, chapters, captions, poster, manifest."""

from __future__ import annotations

import errno
import heapq
import json
import os
import platform
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import av

from explainers.errors import ExplainError
from explainers.runs import context
from scenes import clock, look
from scenes.production import cache, captions, made, sound
from scenes.production.cache import Part
from scenes.production.encoder import must_be_whole
from scenes.production.plan import versions
from scenes.production.settings import Options
from scenes.production.speaking import Said
from scenes.registry import Selection
from scenes.report import StepReport
from scenes.voices.listening import Samples

MANIFEST = "manifest.json"
#: ISO 639-2, as mp4 has it.
_LANGUAGES = {"en": "eng", "de": "deu", "fr": "fra", "es": "spa", "zh": "zho"}


def assemble(
    selection: Selection, parts: Sequence[Part], options: Options, work: Path, said: Sequence[Sequence[Said]] = ()
) -> tuple[Path, float]:
    """Write a film's folder: ``<name>.mp4``, ``.vtt``, ``.srt``, ``poster.png`` and, last, ``manifest.json``.

    ``said`` is what a voice says, a sequence of steps for each scene. Everything is made in ``work`` and moved.
    Returns the video's path and its length in seconds.
    """
    parts = [_in_words_of(part, steps) for part, steps in zip(parts, said, strict=True)] if said else parts
    folder, name, fps = options.out / selection.name, selection.name, options.picture.fps
    folder.mkdir(parents=True, exist_ok=True)
    files = (f"{name}.mp4", f"{name}.vtt", f"{name}.srt", "poster.png", MANIFEST)
    key = "" if said else made.made_of(selection, parts, options)
    with cache.turn(folder):
        if key and made.lies_there(folder, key, files):
            return folder / f"{name}.mp4", clock.to_seconds(sum(part.report.ticks for part in parts))
    starts = [sum(part.report.ticks for part in parts[:index]) for index in range(len(parts))]
    total = sum(part.report.ticks for part in parts)
    work = work / name
    work.mkdir(parents=True, exist_ok=True)

    spoken = captions.cues([(start, part.report) for start, part in zip(starts, parts, strict=True)])
    heard = _heard(parts, starts, total, fps, said)
    _join(parts, starts, total, work / f"{name}.mp4", fps, selection, spoken, heard)
    must_be_whole(work / f"{name}.mp4", clock.frame(total, fps))
    (work / f"{name}.vtt").write_text(captions.webvtt(spoken), encoding="utf-8")
    (work / f"{name}.srt").write_text(captions.subrip(spoken), encoding="utf-8")
    shutil.copyfile(_poster(selection, parts).poster, work / "poster.png")
    manifest = _manifest(selection, parts, starts, total, options)
    if (loudness := sound.measure_file(work / f"{name}.mp4")) is not None:
        manifest["sound"] = loudness.to_json()
        for scene, steps in zip(manifest["scenes"], said, strict=True):
            for step, one in zip(scene["steps"], steps, strict=True):
                step["voice"] = one.voice
    (work / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")
    with cache.turn(folder):  # another render into this folder waits, so that the five files belong together
        for left in folder.glob(".*.part"):
            left.unlink()
        for file in files:
            publish(work / file, folder / file)
        if key:
            made.note(folder, key, files)
    return folder / f"{name}.mp4", clock.to_seconds(total)


def _in_words_of(part: Part, said: Sequence[Said]) -> Part:
    """The part with the words when this voice says them: the picture may be that of another with equal steps."""
    steps = []
    for step, one in zip(part.report.steps, said, strict=True):
        ticks = (round(step.start + second * clock.TICKS_PER_SECOND, 3) for second in one.starts)
        steps.append(replace(step, word_ticks=tuple(ticks)))
    return replace(part, report=replace(part.report, steps=tuple(steps)))


def _heard(
    parts: Sequence[Part], starts: Sequence[int], total: int, fps: int, said: Sequence[Sequence[Said]]
) -> Samples | None:
    """The sound of the whole film: what is said in a step begins at the frame at which the step does."""
    if not said:
        return None
    clips = [
        (clock.frame(start + step.start, fps) / fps, one.samples)
        for part, start, steps in zip(parts, starts, said, strict=True)
        for step, one in zip(part.report.steps, steps, strict=True)
    ]
    return sound.mixed(clips, clock.to_seconds(total))


def _join(
    parts: Sequence[Part],
    starts: Sequence[int],
    total: int,
    target: Path,
    fps: int,
    film: Selection,
    spoken: Sequence[captions.Cue],
    heard: Samples | None,
) -> None:
    """Copy the packets of all scenes one after another; a scene begins at the frame that the clock says."""
    language = _LANGUAGES.get(film.lecture.lang, "und")
    with av.open(str(target), "w", format="mp4", options={"movflags": "faststart"}) as out:
        out.metadata["title"] = film.lecture.title if film.whole else film.entries[0].section.heading
        with av.open(str(parts[0].video)) as source:
            stream = out.add_stream_from_template(source.streams.video[0])
            stream.time_base = Fraction(1, fps)
        spoken_track = None if heard is None else sound.track(out, language)
        _caption_track(out, spoken, language)
        flows = [_pictures(parts, starts, stream, fps)]
        if heard is not None:
            flows.append(sound.packets(spoken_track, heard))
        for packet in heapq.merge(*flows, key=lambda packet: packet.dts * packet.time_base):
            out.mux(packet)
        out.set_chapters(
            [
                {
                    "id": index,
                    "start": clock.frame(start, fps),
                    "end": clock.frame(end, fps),
                    "time_base": Fraction(1, fps),
                    "metadata": {"title": part.report.heading},
                }
                for index, (part, start, end) in enumerate(zip(parts, starts, [*starts[1:], total], strict=True))
            ]
        )


def _caption_track(out: Any, spoken: Sequence[captions.Cue], language: str) -> None:
    """The captions inside the mp4, for players that do not look for a file beside it."""
    if not spoken:
        return
    track = out.add_stream("mov_text")
    track.codec_context.subtitle_header = captions.MOV_TEXT_HEADER
    track.metadata["language"] = language
    track.time_base = Fraction(1, 1000)
    for start, end, sample in captions.mov_text(spoken):
        packet = av.Packet(sample)
        packet.stream, packet.time_base = track, track.time_base
        packet.pts = packet.dts = start
        packet.duration = end - start
        out.mux(packet)


def _pictures(parts: Sequence[Part], starts: Sequence[int], stream: Any, fps: int) -> Iterator[Any]:
    """The packets of all scenes, at their frames in the film."""
    header = None
    for part, start in zip(parts, starts, strict=True):
        with av.open(str(part.video)) as source:
            found = source.streams.video[0]
            header = header or found.codec_context.extradata
            if found.codec_context.extradata != header:
                raise ExplainError(f"{part.report.scene} was encoded otherwise; render again with --fresh")
            for packet in source.demux(found):
                if packet.dts is None:  # the demuxer's last, empty packet
                    continue
                frame = clock.frame(start, fps) + round(packet.pts * packet.time_base * fps)
                packet.stream = stream
                packet.time_base = Fraction(1, fps)
                packet.pts = packet.dts = frame
                packet.duration = 1
                yield packet


def _poster(selection: Selection, parts: Sequence[Part]) -> Part:
    """The scene that the front matter names (``poster: SceneName``), else the second, else the only one."""
    wanted = selection.lecture.about.get("poster", "")
    for part in parts:
        if part.report.scene == wanted:
            return part
    return parts[min(1, len(parts) - 1)]


def _manifest(
    selection: Selection, parts: Sequence[Part], starts: Sequence[int], total: int, options: Options
) -> dict[str, Any]:
    """Everything about a film that is not pixels; no times of day, sorted, so two renders can be compared as text.

    Times are in ticks (``start``, ``end``, ``speech``: when the words end; ``cues[].tick``), with seconds and frames
    beside them, all from the film's beginning, ends exclusive. A step has its ``narration``, the ``numbers`` on screen
    at its end (text, value, unit, origin, box in fractions of the frame) and those that are ``said``; ``overrun`` and
    ``late`` are ticks by which animations missed the words; a scene's ``reads`` are its runs and numbers with digests.
    """
    picture, lecture = options.picture, selection.lecture
    scenes = []
    for part, start in zip(parts, starts, strict=True):
        report = part.report
        scenes.append(
            {
                "scene": report.scene,
                "heading": report.heading,
                **_span(start, start + report.ticks, picture.fps),
                "steps": [_step(step, start, picture.fps) for step in report.steps],
                "reads": [read for read in report.reads if read["kind"] != "colour"],
            }
        )
    return {
        "format": 1,
        "name": selection.name,
        "lecture": lecture.number,
        "title": lecture.title,
        "question": lecture.question,
        "language": lecture.lang,
        **_span(0, total, picture.fps),
        "ticks_per_second": clock.TICKS_PER_SECOND,
        "settings": {
            "quality": options.quality,
            "width": picture.width,
            "height": picture.height,
            "fps": picture.fps,
            "voice": options.voice,
            "theme": look.name(),
            **{name: value for name, value in context().overrides().items() if name != "device"},
        },
        "versions": {**versions(), "python": platform.python_version(), "explain-deepseek": _own_version()},
        "scenes": scenes,
    }


def _step(step: StepReport, first: int, fps: int) -> dict[str, Any]:
    """A step with its times counted from the film's beginning."""
    data = step.to_json()
    data["speech"] += first
    for cue in data["cues"]:
        cue["tick"] += first
    return {**data, **_span(first + step.start, first + step.end, fps)}


def _span(start: int, end: int, fps: int) -> dict[str, Any]:
    """A stretch of the film in ticks, seconds and frames (end exclusive)."""
    return {
        "start": start,
        "end": end,
        "start_seconds": round(clock.to_seconds(start), 6),
        "end_seconds": round(clock.to_seconds(end), 6),
        "start_frame": clock.frame(start, fps),
        "end_frame": clock.frame(end, fps),
    }


def _own_version() -> str:
    try:
        return version("explain-deepseek")
    except PackageNotFoundError:
        return "clone"


def publish(made: Path, target: Path) -> None:
    """Move a finished file to where a user looks; a reader sees the old one or the whole new one."""
    try:
        os.replace(made, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        aside = target.with_name(f".{target.name}.part")  # another file system: copy beside, then move
        shutil.copyfile(made, aside)
        os.replace(aside, target)
