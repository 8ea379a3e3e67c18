"""A lecture as a PowerPoint file: a slide a step, whose film runs when the slide comes and stays on its last frame.

Written with python-pptx. What it does not offer is added as PowerPoint itself writes it (ECMA-376 part 1, 19.5): the
animation that starts a film with its slide, and a master whose placeholders fit the film's shape.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from explainers.errors import ExplainError
from scenes.exports import clips, pictures
from scenes.exports.pictures import Moment
from scenes.exports.talk import Slide, Source, Talk
from scenes.exports.words import words

#: Inches of the longer side of a slide, as in PowerPoint's own wide format.
LONG_SIDE = 13.333
_EMU = 914_400  # in an inch
#: Sources on a slide that is wide, and on one that is not, where names take two lines; places in a source.
_SOURCES, _PLACES = (8, 6), 1
_ACCENTS = ("latent", "query", "key", "value", "rope", "router")
_FACE = "Arial"  # there on every machine; the films' own family is not
_TITLE, _TITLE_ONLY = 0, 5  # layouts of python-pptx's template

_TIMING = """
<p:timing xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"><p:tnLst><p:par>
<p:cTn id="1" dur="indefinite" restart="never" nodeType="tmRoot"><p:childTnLst>
<p:seq concurrent="1" nextAc="seek"><p:cTn id="2" dur="indefinite" nodeType="mainSeq"><p:childTnLst>
<p:par><p:cTn id="3" fill="hold"><p:stCondLst><p:cond delay="indefinite"/>
<p:cond evt="onBegin" delay="0"><p:tn val="2"/></p:cond></p:stCondLst><p:childTnLst>
<p:par><p:cTn id="4" fill="hold"><p:stCondLst><p:cond delay="0"/></p:stCondLst><p:childTnLst>
<p:par><p:cTn id="5" presetID="1" presetClass="mediacall" presetSubtype="0" fill="hold" nodeType="afterEffect">
<p:stCondLst><p:cond delay="0"/></p:stCondLst><p:childTnLst>
<p:cmd type="call" cmd="playFrom(0.0)"><p:cBhvr><p:cTn id="6" dur="{milliseconds}" fill="hold"/>
<p:tgtEl><p:spTgt spid="{shape}"/></p:tgtEl></p:cBhvr></p:cmd>
</p:childTnLst></p:cTn></p:par></p:childTnLst></p:cTn></p:par></p:childTnLst></p:cTn></p:par></p:childTnLst></p:cTn>
<p:prevCondLst><p:cond evt="onPrev" delay="0"><p:tgtEl><p:sldTgt/></p:tgtEl></p:cond></p:prevCondLst>
<p:nextCondLst><p:cond evt="onNext" delay="0"><p:tgtEl><p:sldTgt/></p:tgtEl></p:cond></p:nextCondLst></p:seq>
<p:video><p:cMediaNode vol="80000"><p:cTn id="7" fill="hold" display="0">
<p:stCondLst><p:cond delay="indefinite"/></p:stCondLst></p:cTn>
<p:tgtEl><p:spTgt spid="{shape}"/></p:tgtEl></p:cMediaNode></p:video>
</p:childTnLst></p:cTn></p:par></p:tnLst></p:timing>
"""


def write(talk: Talk, path: Path, poster: Moment = "end") -> None:
    """Write the presentation: a title slide, a slide a step, and the sources.

    ``poster`` is what stands on a slide until its film runs, and wherever no film can run (print, thumbnails): the
    step's last frame, or its first.
    """
    deck = _Deck(talk)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        deck.title(pictures.poster(talk, folder / "poster.png"))
        stills = pictures.draw(talk, folder, poster)
        for slide, still in zip(talk.slides, stills, strict=True):
            clip = folder / f"step-{slide.number:02d}.mp4"
            clips.cut(talk.film.video, slide.start, slide.end, talk.picture, clip)
            deck.step(slide, clip, still)
        count = _SOURCES[0 if deck.wide else 1]
        for first in range(0, len(talk.sources), count):
            deck.sources(talk.sources[first : first + count], first)
        deck.file.save(str(path))


def available() -> Any:
    """The package python-pptx; `ExplainError` says how to install it."""
    try:
        import pptx
    except ImportError as error:
        raise ExplainError(
            f"a PowerPoint file needs python-pptx; run `{sys.executable} -m pip install python-pptx`"
        ) from error
    return pptx


class _Deck:
    """The file while it is being written. Lengths are in EMU, ``unit`` is a hundredth of the shorter side."""

    def __init__(self, talk: Talk) -> None:
        self.file = available().Presentation()
        self.talk, self.words, self.colours = talk, words(talk.lang), talk.look.colours
        picture = talk.picture
        inch = LONG_SIDE * _EMU / max(picture.width, picture.height)
        self.width, self.height = round(picture.width * inch), round(picture.height * inch)
        self.unit, self.wide = min(self.width, self.height) / 100, self.width > 1.2 * self.height
        self._fit_master()
        core = self.file.core_properties
        core.title, core.language, core.author, core.keywords = talk.title, talk.lang, "explain export pptx", ""

    # ------------------------------------------------------------------ the template
    def _fit_master(self) -> None:
        """Placeholders keep their place in another shape of slide; colours and type are the film's."""
        across, down = self.width / self.file.slide_width, self.height / self.file.slide_height
        self.file.slide_width, self.file.slide_height = self.width, self.height
        master = self.file.slide_masters[0]
        for shape in (shape for sheet in (master, *master.slide_layouts) for shape in sheet.shapes):
            if shape.element.spPr.xfrm is not None:  # else it stands where the master's stands
                shape.left, shape.width = round(shape.left * across), round(shape.width * across)
                shape.top, shape.height = round(shape.top * down), round(shape.height * down)
        self._colour(master)

    def _colour(self, master: Any) -> None:
        from pptx.opc.constants import RELATIONSHIP_TYPE
        from pptx.oxml import parse_xml
        from pptx.oxml.ns import qn

        part = master.part.part_related_by(RELATIONSHIP_TYPE.THEME)
        theme = parse_xml(part.blob)
        scheme = dict(zip(("accent1", "accent2", "accent3", "accent4", "accent5", "accent6"), _ACCENTS, strict=True))
        scheme |= {
            "dk1": "ground",
            "lt1": "text",
            "dk2": "surface",
            "lt2": "token",
            "hlink": "query",
            "folHlink": "muted",
        }
        for slot, name in scheme.items():
            (found,) = theme.iter(qn(f"a:{slot}"))
            for old in list(found):
                found.remove(old)
            found.append(found.makeelement(qn("a:srgbClr"), {"val": self.colours[name].lstrip("#")}))
        for kind in ("majorFont", "minorFont"):
            next(theme.iter(qn(f"a:{kind}"))).find(qn("a:latin")).set("typeface", _FACE)
        part._blob = _serialized(theme)
        mapping = master.element.find(qn("p:clrMap"))
        for slot, other in (("bg1", "dk1"), ("tx1", "lt1"), ("bg2", "dk2"), ("tx2", "lt2")):
            mapping.set(slot, other)

    # ------------------------------------------------------------------ the slides
    def title(self, poster: Path) -> None:
        """Number, title and question beside the poster; on a tall slide below it."""
        from pptx.enum.text import MSO_ANCHOR

        slide = self.file.slides.add_slide(self.file.slide_layouts[_TITLE])
        margin, wide = 7 * self.unit, self.wide
        across = self.width * 0.44 if wide else self.width - 2 * margin
        down = across * self.talk.picture.height / self.talk.picture.width
        if not wide and down > self.height * 0.42:
            across, down = across * self.height * 0.42 / down, self.height * 0.42
        left = self.width - margin - across if wide else margin
        top = (self.height - down) / 2 if wide else margin
        picture = slide.shapes.add_picture(str(poster), round(left), round(top), round(across), round(down))
        _describe(picture, self.talk.title)
        picture.line.color.rgb = self._rgb("hairline")
        room = (left - 2 * margin) if wide else self.width - 2 * margin
        begin = self.height * 0.15 if wide else top + down + 3 * self.unit
        words = self.height * 0.85 - begin if wide else self.height - margin - begin
        short, long = self.talk.title_parts()
        title, question = slide.shapes.title, slide.placeholders[1]
        upper = min(words * 0.53, (38 if long else 20) * self.unit)
        _place(title, margin, begin, room, upper)
        _place(question, margin, begin + upper + words * 0.04, room, words * 0.96 - upper)
        self._write(
            title.text_frame, [(f"{self.talk.number} · {short}", 7.4, "accent", True), (long, 4.2, "text", False)]
        )
        title.text_frame.vertical_anchor = MSO_ANCHOR.BOTTOM if wide else MSO_ANCHOR.TOP
        self._write(
            question.text_frame, [(self.talk.question, 3.1, "token", False), (self.talk.length(), 2.2, "muted", False)]
        )
        slide.notes_slide.notes_text_frame.text = self.talk.question

    def step(self, step: Slide, clip: Path, still: Path) -> None:
        """The step's film over the whole slide; the title stands above its edge, for outlines and screen readers."""
        from pptx.oxml import parse_xml

        slide = self.file.slides.add_slide(self.file.slide_layouts[_TITLE_ONLY])
        title = slide.shapes.title
        title.text_frame.text = step.title
        _place(title, 0, -10 * self.unit, self.width, 8 * self.unit)
        size = (0, 0, self.width, self.height)
        film = slide.shapes.add_movie(str(clip), *size, poster_frame_image=str(still), mime_type="video/mp4")
        film.name = step.title
        _describe(film, step.picture_in_words)
        timing = slide.element.find(slide.element.tag.partition("}")[0] + "}timing")
        seconds = self.talk.seconds_at(step.end - step.start)
        started = parse_xml(_TIMING.format(shape=film.shape_id, milliseconds=round(seconds * 1000)))
        slide.element.replace(timing, started)
        slide.notes_slide.notes_text_frame.text = step.notes()

    def sources(self, sources: Sequence[Source], before: int) -> None:
        """What the numbers rest on; places in the sources stand in the notes."""
        slide = self.file.slides.add_slide(self.file.slide_layouts[_TITLE_ONLY])
        margin = 7 * self.unit
        _place(slide.shapes.title, margin, margin, self.width - 2 * margin, 10 * self.unit)
        self._write(slide.shapes.title.text_frame, [(self.words["sources"], 5, "text", True)])
        size = (margin, margin + 13 * self.unit, self.width - 2 * margin, self.height - 2 * margin - 13 * self.unit)
        frame = slide.shapes.add_textbox(*map(round, size)).text_frame
        lines = []
        for place, source in enumerate(sources, start=before + 1):
            about = " · ".join([source.date, *source.places[:_PLACES], source.used(self.talk.lang)])
            lines += [(f"{place}  {source.name}", 2.9, "text", False), (about, 2.2, "muted", False)]
        self._write(frame, lines)
        for index, source in enumerate(sources):
            name, about = frame.paragraphs[2 * index : 2 * index + 2]
            name.space_after, about.space_after = 0, round(2.4 * self.unit)
            if source.url:
                name.runs[0].hyperlink.address = source.url
        told = [f"{source.name}: {'; '.join(source.places)}" for source in sources if source.places]
        slide.notes_slide.notes_text_frame.text = "\n".join(told)

    def _write(self, frame: Any, lines: Sequence[tuple[str, float, str, bool]]) -> None:
        """Lines of (text, size in units, role of the colour, bold), one a paragraph; empty ones are left out."""
        from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
        from pptx.util import Emu

        frame.word_wrap, frame.vertical_anchor = True, MSO_ANCHOR.TOP
        for index, (text, size, colour, bold) in enumerate(line for line in lines if line[0]):
            paragraph = frame.add_paragraph() if index else frame.paragraphs[0]
            paragraph.alignment = PP_ALIGN.LEFT
            paragraph.space_after = Emu(round(size * self.unit * 0.35))
            run = paragraph.add_run()
            run.text = text
            run.font.size, run.font.bold = Emu(round(size * self.unit)), bold
            run.font.color.rgb = self._rgb(colour)

    def _rgb(self, name: str) -> Any:
        from pptx.dml.color import RGBColor

        return RGBColor.from_string(self.colours[name].lstrip("#"))


def _place(shape: Any, left: float, top: float, width: float, height: float) -> None:
    shape.left, shape.top, shape.width, shape.height = (round(value) for value in (left, top, width, height))


def _describe(shape: Any, text: str) -> None:
    """Alternative text, which python-pptx has no name for."""
    shape.element.xpath(".//p:cNvPr")[0].set("descr", text)


def _serialized(element: Any) -> bytes:
    from pptx.opc.oxml import serialize_part_xml

    return bytes(serialize_part_xml(element))
