"""Lecture 8: what each export rule cut, and where weights run."""

from __future__ import annotations

from manim import (
    DOWN,
    LEFT,
    RIGHT,
    UP,
    AnimationGroup,
    Circle,
    Create,
    Cross,
    DashedLine,
    FadeIn,
    FadeOut,
    Group,
    GrowFromEdge,
    LaggedStart,
    Line,
    Rectangle,
    RoundedRectangle,
    SurroundingRectangle,
    VGroup,
)

from explainers.quantities import Quantity
from scenes.kit import (
    CAPTION_TOP,
    EASE,
    SAFE_LEFT,
    SAFE_RIGHT,
    SAFE_WIDTH,
    STAGE_TOP,
    Axis,
    ChipShelf,
    Event,
    NumberLabel,
    ScatterChart,
    Spot,
    Timeline,
    column,
    label,
    role,
    row,
)
from scenes.stage import LectureScene


class WhatEachRuleCut(LectureScene):
    """Chips by arithmetic and link, cut, barred and let through along a line of time."""

    lecture = 8
    rules = {
        "ban": ("control_2022_10_07", "A100, H100\nbarred", -1, "cost"),
        "second": ("control_2023_10_17", "A800, H800\nbarred, too", -1, "cost"),
        "licence": ("control_2025_04_09", "H20 needs\na licence", -1, "cost"),
        "back": ("control_2025_07_14", "H20 to be\nsold again", 1, "reward"),
        "h200": ("control_2026_01_13", "H200: case\nby case", -1, "accent"),
    }
    roles = {"A100": "muted", "A800": "muted", "H100": "token", "H800": "latent", "H20": "value"}

    def construct(self) -> None:
        self.show_title()
        spots = []
        for name, colour in self.roles.items():
            fast, link = (self.number(f"fact.hardware.{name.lower()}.{field}") for field in ("bf16", "nvlink"))
            spots.append(Spot(name, fast, link, colour))
        self.chart = ScatterChart(
            spots,
            x_axis=Axis(0, 1.3e15, "arithmetic, BF16", "FLOP/s"),
            y_axis=Axis(0, 1e12, "link to neighbours", "B/s"),
            width=9.0,
            height=2.45,
            radius=0.17,
        )
        self.chart.move_to([SAFE_LEFT, STAGE_TOP + 0.15, 0], UP + LEFT)
        # a dot may stand on a line of the grid; its name stands between two
        between = 0.25 * UP
        for name, way, off in (
            ("H100", UP, 0 * UP), ("H20", LEFT, 0 * UP),
            ("A100", LEFT, between), ("A800", LEFT, -between), ("H800", RIGHT, -between),
        ):  # fmt: skip
            self.chart.names[name].next_to(self.chart.dots[name], way, buff=0.2).shift(off)
        self.chart.names["H100"].shift(0.2 * LEFT)
        dates = {mark: self.number(f"fact.hardware.{key}.date") for mark, (key, *_) in self.rules.items()}
        events = [Event(dates[mark], words, colour, side) for mark, (_, words, side, colour) in self.rules.items()]
        self.line = Timeline(events, width=SAFE_WIDTH - 1.2, end="2026-08", size="small", text_width=1.9)
        self.line.shift([-self.line.line.get_x(), -1.8 - self.line.line.get_y(), 0])
        self.event = dict(zip(self.rules, self.line.events, strict=True))
        self.dates = dates
        self.crosses: dict[str, Cross] = {}
        self.origin(*dates.values(), *self.chart.bound)
        self.first()
        self.middle()
        self.last()

    def rule(self, mark: str, *also: object) -> None:
        """A ring goes to a date, and its words come."""
        if mark == "ban":
            self.now = Circle(0.17, stroke_width=4).set_stroke(role("accent")).move_to(self.line.at(self.dates[mark]))
            self.play(FadeIn(self.now, self.event[mark]), *also, run_time=0.8)
            return
        goal = self.now.animate.move_to(self.line.at(self.dates[mark]))
        self.play(goal, FadeIn(self.event[mark]), *also, run_time=0.9, rate_func=EASE)

    def bar(self, *names: str) -> None:
        """A cross falls on each chip that the rule bars: on the chip, since a way there would cross the axis."""
        for name in names:
            self.crosses[name] = Cross(stroke_width=5, scale_factor=0.22).set_stroke(role("cost"))
            self.crosses[name].move_to(self.chart.at(name))
        self.play(*(FadeIn(self.crosses[name], scale=1.8) for name in names), run_time=0.9, rate_func=EASE)

    def cut(self, old: str, new: str) -> None:
        """A chip is cut down to another: a dot leaves a trail."""
        chart = self.chart
        dot = chart.dots[old].copy().set_color(role(self.roles[new]))
        trail = Line(chart.at(old), chart.at(new), stroke_width=3, buff=0.2).set_stroke(role(self.roles[new]))
        self.play(dot.animate.move_to(chart.at(new)), Create(trail), run_time=1.0, rate_func=EASE)
        self.play(FadeIn(chart.dots[new], chart.names[new]), run_time=0.3)
        self.remove(dot)

    def first(self) -> None:
        chart = self.chart
        with self.step() as s:
            self.play(FadeIn(chart.axes, self.line.line), run_time=0.8)
            s.until("compute")
            both = [chart.dots[name] for name in ("A100", "H100")]
            self.play(FadeIn(*both, *(chart.names[name] for name in ("A100", "H100"))), run_time=0.8)
            s.until("ban")
            self.rule("ban")
            self.bar("A100", "H100")
            s.until("h800")
            self.cut("A100", "A800")
            self.cut("H100", "H800")

    @staticmethod
    def memory(words: str, speed: Quantity, colour: str) -> VGroup:
        return row(label(words, "small", colour), NumberLabel(speed, "si 3", size="small", role=colour), gap=0.1)

    def middle(self) -> None:
        chart = self.chart
        reads = [self.number(f"fact.hardware.{name}.bandwidth") for name in ("h20", "h100")]
        note = column(
            self.memory("H20 reads memory at", reads[0], "value"),
            self.memory("H100 at", reads[1], "muted"),
            gap=0.08,
        ).next_to(chart.at("H20"), DOWN, buff=0.2)
        note.align_to([chart.at("A100")[0] + 0.5, 0, 0], LEFT)
        plate = SurroundingRectangle(note, buff=0.06, stroke_width=0).set_fill(role("ground"), 1)  # no grid through it
        with self.step() as s:
            s.until("second")
            self.rule("second")
            self.bar("A800", "H800")
            s.until("h20")
            self.cut("H100", "H20")
            s.until("mem")
            self.play(FadeIn(plate, note), run_time=0.6)

    def last(self) -> None:
        chart = self.chart
        fast, link, reads = (self.number(f"fact.hardware.h200.{field}") for field in ("bf16", "nvlink", "bandwidth"))
        # the place of the H100, which stays barred: a ring around its dot
        ring = Circle(0.29, stroke_width=5).set_stroke(role("accent")).move_to(chart.axes.point(fast, link))
        name = label("H200", "body", "accent", weight="medium").next_to(chart.names["H100"], RIGHT, buff=0.2)
        note = column(
            label("as fast as the H100,", "small", "accent"),
            self.memory("memory at", reads, "accent"),
            gap=0.08,
        ).next_to(ring, DOWN, buff=0.07)
        note.align_to([chart.axes.point(chart.axes.x.high, link)[0], 0, 0], RIGHT)
        plate = SurroundingRectangle(note, buff=0.06, stroke_width=0).set_fill(role("ground"), 1)
        border = Line(0.75 * UP, 0.75 * DOWN, stroke_width=6).set_stroke(role("cost"))
        border.move_to([SAFE_RIGHT - 1.1, ring.get_y(), 0])
        words = label("stopped by\nChinese\ncustoms", "small", "cost", align="center").next_to(border, DOWN, buff=0.15)
        then = label("then some\nfirms may buy", "small", "accent", align="center").next_to(words, DOWN, buff=0.15)
        to = label("China", "body", "muted").next_to(border, RIGHT, buff=0.2).align_to(border, DOWN)
        with self.step() as s:
            s.until("licence")
            self.rule("licence")
            self.bar("H20")
            s.until("back")
            self.rule("back")
            self.play(FadeOut(self.crosses["H20"], scale=1.8), run_time=0.7, rate_func=EASE)
            s.until("h200")
            self.rule("h200")
            self.origin(*self.dates.values(), *chart.bound, fast, link, reads)
            self.play(self.crosses["H100"].animate.scale(0.7), run_time=0.6)
            self.play(FadeIn(ring, scale=1.4), FadeIn(name), run_time=0.6)
            self.play(FadeIn(plate, note), run_time=0.6)
            s.until("customs")
            self.play(Create(border), FadeIn(words, to), run_time=0.7)
            sent = ring.copy()
            goal = ring.copy().next_to(border, LEFT, buff=0.1)
            above = name.copy().next_to(goal, UP, buff=0.12).align_to(goal, RIGHT)
            self.play(sent.animate.move_to(goal), run_time=1.2, rate_func=EASE)
            self.play(FadeIn(above), run_time=0.4)
            sent = VGroup(sent, above)
            s.until("some")
            self.play(border.animate.set_stroke(role("accent")), FadeIn(then), run_time=0.5)
            self.play(sent.animate.next_to(border, RIGHT, buff=0.15).set_y(sent.get_y()), run_time=0.9, rate_func=EASE)


class WhereItRuns(LectureScene):
    """One model's weights poured into three kinds of chips; then what bans touch and what they do not."""

    lecture = 8
    #: reference of the memory, name, words beside it
    kinds = (
        ("h100", "H100", "h100", ""),
        ("h200", "H200", "h200", ""),
        ("ascend_950dt", "Ascend 950DT", "ascend", "announced by Huawei"),
    )
    unit = 1.4e-11  # frame units a byte
    bans = ("Italy", "Taiwan", "Australia", "Korea", "Texas", "NASA")

    def construct(self) -> None:
        self.show_title()
        self.app(self.shelves())

    def shelves(self) -> Group:
        """The same bytes, cut into memories of different size."""
        weights = self.number("v3.weight_bytes_fp8")
        shelves = [
            ChipShelf(
                weights, self.number(f"fact.hardware.{key}.memory"), name=name, note=note, thickness=0.5, unit=self.unit
            )
            for key, name, _, note in self.kinds
        ]
        self.origin(weights, *(shelf.bound[1] for shelf in shelves), self.number("fact.hardware.ascend_orders.date"))
        amount = row(
            label("V3:", "heading", "latent"),
            NumberLabel(weights, "si 3", size="heading", role="latent", after=" of weights"),
            gap=0.2,
        )
        amount.move_to([SAFE_LEFT, STAGE_TOP - 0.25, 0], LEFT)
        whole = Rectangle(width=float(weights) * self.unit, height=0.3, stroke_width=0).set_fill(role("latent"), 0.85)
        whole.next_to(amount, DOWN, buff=0.2).align_to([SAFE_LEFT + 0.05, 0, 0], LEFT)
        end = whole.get_right()
        for place, shelf in enumerate(shelves):
            shelf.shift([SAFE_LEFT + 0.05 - shelf.chips.get_left()[0], 0.75 - 1.25 * place - shelf.chips.get_y(), 0])
        claims = self.claims(shelves[-1])
        lines = [  # what is poured ends where the weights end
            DashedLine([end[0], above, 0], [end[0], shelf.chips.get_top()[1] + 0.03, 0], dash_length=0.08)
            for above, shelf in zip(
                (whole.get_bottom()[1], *(shelf.chips.get_bottom()[1] for shelf in shelves)), shelves, strict=False
            )
        ]
        guides = VGroup(*lines).set_stroke(role("accent"), 2.5)
        scale = label("widths to one scale of memory; room for the cache comes on top", "small", "muted")
        scale.move_to([SAFE_RIGHT, amount.get_y(), 0], RIGHT)
        with self.step() as s:
            self.play(FadeIn(amount), run_time=0.6)
            self.play(GrowFromEdge(whole, LEFT), run_time=2.0)
            for shelf, (_, _, mark, note) in zip(shelves, self.kinds, strict=True):
                s.until(mark)
                pour = shelf.pour()
                self.play(FadeIn(shelf.chips, shelf.name, *([shelf.note] if note else [])), run_time=0.5)
                self.play(pour, run_time=1.8)
                self.play(FadeIn(shelf.number), Create(guides[shelves.index(shelf)]), run_time=0.4)
                if mark == "h200":
                    self.play(FadeIn(scale), run_time=0.5)
            for mark, claim in zip(("v4", "silent"), claims, strict=True):
                s.until(mark)
                self.play(FadeIn(claim, shift=0.2 * UP), run_time=0.7)
        return Group(amount, whole, scale, claims, guides, *shelves)

    @staticmethod
    def claims(shelf: ChipShelf) -> VGroup:
        """What is said of V4, a later model than the one that is poured, and by whom."""
        said = VGroup(label("V4 runs on Huawei’s machines since its launch: Huawei’s claim", "body", "token"))
        said.add(label("what V4 was trained on: DeepSeek does not say", "body", "muted"))
        return (
            said.arrange(DOWN, buff=0.15, aligned_edge=LEFT)
            .next_to(shelf.chips, DOWN, buff=0.2)
            .align_to(shelf.chips, LEFT)
        )

    def app(self, before: Group) -> None:
        """Telephones that lose their line to a server; weights that are copied to other machines."""
        sources = [self.number(f"fact.timeline.ban_{key}.date") for key in ("italy", "us_federal", "scope")]
        phones = VGroup(*(self.phone(name) for name in self.bans))
        for place, phone in enumerate(phones):
            phone.shift([SAFE_LEFT + 0.5 + 1.16 * place - phone[0].get_x(), -0.7 - phone[0].get_y(), 0])
        middle = (phones[0][0].get_x() + phones[-1][0].get_x()) / 2
        server = self.machine("servers in China", "muted").move_to([middle, STAGE_TOP - 0.65, 0])
        lines = VGroup(*(Line(server.get_bottom(), phone[0].get_top(), stroke_width=2) for phone in phones))
        lines.set_stroke(role("muted"))
        weights = self.machine("the weights", "latent").move_to([3.8, STAGE_TOP - 0.65, 0]).set_z_index(2)
        scope = label("the app barred: in offices, on devices or in stores", "small", "muted")
        scope.next_to(phones, DOWN, buff=0.35).set_x(middle)
        others = VGroup(*(self.machine(name, "latent") for name in ("Azure", "AWS", "Baseten")))
        others.arrange(RIGHT, buff=0.25).move_to([3.8, -0.7, 0])
        where = label("clouds outside China", "small", "muted").next_to(others, DOWN, buff=0.35)
        where.set_y(scope.get_y())
        paths = VGroup(*(Line(weights.get_bottom(), each.get_top(), stroke_width=3) for each in others))
        paths.set_stroke(role("latent"))
        border = Line([0.72, STAGE_TOP, 0], [0.72, CAPTION_TOP + 0.3, 0], stroke_width=2).set_stroke(role("hairline"))
        with self.step() as s:
            self.play(FadeOut(before), run_time=0.5)
            self.origin(*sources)
            self.play(FadeIn(server, phones, border), Create(lines), run_time=1.0)
            s.until("app")
            for place, phone in enumerate(phones):
                cross = Cross(phone[0], stroke_width=4, scale_factor=0.8).set_stroke(role("cost"))
                self.play(Create(cross), FadeOut(lines[place]), run_time=0.35)
            self.play(FadeIn(scope), run_time=0.5)
            s.until("weights")
            self.play(FadeIn(weights), run_time=0.5)
            # behind the weights, so that their word stays; over the lines that the copies draw after them
            starts = [each[0].copy().move_to(weights).set_z_index(1) for each in others]
            copied = (
                AnimationGroup(Create(path), start.animate.move_to(each[0]))
                for path, start, each in zip(paths, starts, others, strict=True)
            )
            self.play(LaggedStart(*copied, lag_ratio=0.3), run_time=1.8)
            self.play(*(FadeIn(each[1].set_z_index(2)) for each in others), FadeIn(where), run_time=0.5)

    @staticmethod
    def phone(name: str) -> VGroup:
        body = RoundedRectangle(width=0.8, height=1.4, corner_radius=0.1, stroke_width=2.5)
        body.set_stroke(role("token")).set_fill(role("surface"), 1)
        return VGroup(body, label(name, "small").next_to(body, DOWN, buff=0.12))

    @staticmethod
    def machine(name: str, colour: str) -> VGroup:
        words = label(name, "body", colour)
        frame = RoundedRectangle(width=max(1.5, words.width + 0.4), height=0.85, corner_radius=0.1, stroke_width=2.5)
        frame.set_stroke(role(colour)).set_fill(role("surface"), 1)
        return VGroup(frame, words.move_to(frame))
