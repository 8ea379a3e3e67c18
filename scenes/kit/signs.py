"""Small signs of the course: the three levers, how far the course has come, and the sources of a lecture."""

from __future__ import annotations

from collections.abc import Sequence

from manim import LEFT, RIGHT, AnimationGroup, Circle, RoundedRectangle, VGroup

from explainers.errors import ExplainError, one_of
from explainers.quantities import Quantity
from explainers.traces import NamedArray
from scenes.kit import fonts, theme
from scenes.kit.binding import Bound, DataBound, as_array
from scenes.kit.levers import LearnByChecking, RememberLess, RunLess
from scenes.kit.motion import dim
from scenes.kit.text import WEIGHTS, Label, fitting_characters


class LeverSigns(VGroup):
    """The three levers one below the other, each a small picture and its name, drawn from their numbers.

    >>> signs = LeverSigns(*standing(self.number, self.run))
    >>> self.play(FadeIn(signs));  self.play(signs.pull("moe", "mla"))

    Attributes
    ----------
    signs
        ``"moe"``, ``"mla"``, ``"rl"`` → picture and name.
    """

    def __init__(
        self,
        moe: tuple[Quantity, Quantity, NamedArray],
        mla: tuple[Quantity, Quantity],
        rl: tuple[Quantity, Quantity],
        *,
        height: float = 1.3,
        gap: float = 0.36,
    ) -> None:
        super().__init__()
        self.signs: dict[str, VGroup] = {}
        for panel in (RunLess(*moe), RememberLess(*mla), LearnByChecking(*rl)):
            picture = panel.picture
            picture.scale(height / picture.height)
            self.signs[panel.lever] = VGroup(picture, Label(panel.words, "body", panel.role, weight="medium"))
        wide = max(picture.width for picture, _ in self.signs.values())
        for place, (picture, name) in enumerate(self.signs.values()):
            picture.move_to([wide / 2, -place * (height + gap), 0])
            name.move_to([wide + 0.22, picture.get_y(), 0], LEFT)
        self.add(*self.signs.values())
        self.center()

    def pull(self, *levers: str, run_time: float = theme.LEAVE) -> AnimationGroup:
        """The animation in which these levers stand forward, a little larger, and the others back."""
        for lever in levers:
            if lever not in self.signs:
                raise one_of("lever", lever, list(self.signs))
        back = [sign for lever, sign in self.signs.items() if lever not in levers]
        moves = [self.signs[lever].animate.scale(1.06, about_edge=LEFT) for lever in levers]
        moves += [dim(picture, to=0.4, run_time=run_time) for picture, _ in back]
        moves += [name.animate.set_fill(theme.role("muted")) for _, name in back]
        return AnimationGroup(*moves, run_time=run_time)


class Progress(VGroup):
    """A short bar for each lecture of the course: the present one is lit, those before it are half lit.

    >>> Progress(3, 8)
    """

    def __init__(self, lecture: int, lectures: int, *, width: float = 4.4, thickness: float = 0.085) -> None:
        super().__init__()
        if not 1 <= lecture <= lectures:
            raise ExplainError(f"Progress: there is no lecture {lecture} of {lectures}")
        gap = 0.09
        each = (width - gap * (lectures - 1)) / lectures
        for place in range(1, lectures + 1):
            bar = RoundedRectangle(width=each, height=thickness, corner_radius=thickness / 2, stroke_width=0)
            colour = "accent" if place == lecture else "muted" if place < lecture else "hairline"
            self.add(bar.set_fill(theme.role(colour), 1))
        self.arrange(RIGHT, buff=gap)


class SourceRows(DataBound, VGroup):
    """Sources, one a line: a dot for each figure taken from it, full where it was read there, a ring where retold.

    >>> rows = SourceRows(counts)        # axes (source, kind): figures read there, figures told by others

    Names are at most ``room`` wide (`fitted_name`). Beyond ``most`` dots a line ends in a plus sign.

    Attributes
    ----------
    lines
        One group a source, name and dots.
    """

    def __init__(
        self, counts: NamedArray, *, roles: Sequence[str] = (), room: float = 4.6, pitch: float = 0.17, most: int = 18
    ) -> None:
        super().__init__()
        self.bound = Bound((as_array(counts, "SourceRows", 2),))
        names = counts.labels.get(counts.axes[0], ())
        if not names or counts.values.shape[1] != 2:
            raise ExplainError("SourceRows needs the names of its sources and two kinds (read, told)")
        self.lines = VGroup()
        colours = [*roles, *["latent"] * (len(names) - len(roles))]
        for line, (name, colour) in enumerate(zip(names, colours, strict=True)):
            read, told = (int(each) for each in counts.values[line])
            words = Label(name, "small", "text", as_is=True).move_to([0, -line * 0.46, 0], LEFT)
            dots = VGroup(*(_dot(place < read, colour) for place in range(min(read + told, most))))
            dots.arrange(RIGHT, buff=pitch - 0.12).move_to([room + 0.3, -line * 0.46, 0], LEFT)
            if read + told > most:
                dots.add(Label("+", "small", colour).next_to(dots, RIGHT, buff=0.08))
            self.lines.add(VGroup(words, dots))
        self.add(self.lines)
        self.center()


def _dot(full: bool, colour: str) -> Circle:
    """A figure: full where it was read at its source, else a ring."""
    dot = Circle(0.06, stroke_width=1.8, stroke_color=theme.role(colour if full else "muted"))
    return dot.set_fill(theme.role(colour), 1 if full else 0)


def fitted_name(text: str, width: float = 4.6) -> str:
    """A source's name as `SourceRows` has room for it: cut where it is longer."""
    fits = fitting_characters(text, width / theme.cap_units("small"), fonts.face(fonts.SANS), WEIGHTS["regular"])
    return text if fits == len(text) else f"{text[: fits - 1].rstrip(' ,;')}…"
