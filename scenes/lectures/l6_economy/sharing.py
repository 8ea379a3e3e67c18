"""Lecture 6: what a token costs when users share a read, and the two levers that let them."""

from __future__ import annotations

from manim import (
    DOWN,
    LEFT,
    RIGHT,
    UP,
    Create,
    FadeIn,
    FadeOut,
    Line,
    MoveAlongPath,
    Polygon,
    Rectangle,
    VGroup,
    VMobject,
)

from explainers.quantities import Quantity, computed
from explainers.traces import Trace
from scenes.kit import (
    EASE,
    SAFE_LEFT,
    STAGE_CENTER,
    Axis,
    Crowd,
    LineChart,
    NumberLabel,
    Series,
    SharedBar,
    Slider,
    Waffle,
    label,
    renew,
    role,
    tint,
)
from scenes.stage import LectureScene

#: What stands before the time of a step.
STEP = "one step, a token for each user: "


class OneReadManyUsers(LectureScene):
    """One step of a chip as a bar, cut into a slice for each user; the cost of a million tokens beside it."""

    lecture = 6

    def construct(self) -> None:
        self.show_title()
        trace = self.run("shared_read")
        keep = slice(0, 7)
        self.trace, self.walked = trace, VGroup()
        self.step_time, self.users, self.cost = (trace[name].pick(users=keep) for name in ("step", "users", "cost"))
        self.origin(trace)
        self.alone(trace)
        self.together(trace)

    def alone(self, trace: Trace) -> None:
        """Weights leave the memory; the whole step belongs to one user."""
        memory = Rectangle(width=2.9, height=1.5, stroke_color=role("muted"), stroke_width=2)
        memory.set_fill(tint("muted", 0.1), 1).move_to([-4.7, 1.75, 0])
        chip = memory.copy().move_to([4.7, 1.75, 0])
        names = VGroup(label("memory", "small", "muted").next_to(memory, UP, buff=0.12))
        group = NumberLabel(
            trace.quantity("gpus"), "plain bare", before="one of ", after=" chips", size="small", role="muted"
        )
        names.add(group.next_to(chip, UP, buff=0.12))
        weights = Rectangle(width=2.3, height=0.6, stroke_width=0, fill_color=role("expert"), fill_opacity=1).move_to(
            memory
        )
        word = label("weights", "small", "ground").move_to(weights)
        way = Line(memory.get_right(), chip.get_left(), stroke_color=role("muted"), stroke_width=3)
        self.machine = VGroup(memory, chip, names, way)
        self.bar = SharedBar(self.step_time, self.users, length=12.0, thickness=0.85).shift(0.9 * DOWN)
        step = NumberLabel(trace.quantity("step_1"), "si 3", size="small", role="muted", before=STEP)
        step.next_to(self.bar.bar, UP, buff=0.16, aligned_edge=LEFT)
        figure = NumberLabel(trace.quantity("cost_1"), "plain .2 bare", size="display", role="cost", before="$")
        unit = label("a million tokens", "small", "muted")
        figure.next_to(self.bar.bar, DOWN, buff=0.4).align_to(self.bar.bar, LEFT)
        unit.next_to(figure, RIGHT, buff=0.25, aligned_edge=DOWN)
        rent = NumberLabel(trace.quantity("price"), "usd", size="body", role="cost", after=" an hour").next_to(
            chip, DOWN, buff=0.15
        )
        with self.step() as s:
            self.play(FadeIn(memory, chip, names), run_time=0.8)
            s.until("rent")
            self.play(FadeIn(rent), run_time=0.5)
            s.until("read")
            self.play(FadeIn(weights, word), Create(way), run_time=0.7)
            load = VGroup(weights, word)
            self.play(load.animate.move_to(chip), run_time=1.8, rate_func=EASE)
            s.until("alone")
            self.play(FadeIn(self.bar.bar, step), run_time=0.8)
            self.play(FadeIn(figure, unit), run_time=0.6)
        self.machine.add(weights, word, rent)
        self.figure, self.unit, self.step_note = figure, unit, step

    def together(self, trace: Trace) -> None:
        x_axis = Axis.holding(
            self.users.values, log=True, name="users who share a step", ticks=tuple(self.users.values)
        )
        y_axis = Axis.holding(self.cost.values, log=True, name="cost of a million tokens", unit="USD")
        curve = Series("cost", self.cost, x=self.users, role="cost")
        chart = LineChart([curve], x_axis=x_axis, y_axis=y_axis, width=6.2, height=2.2, names="", stroke=3)
        chart.move_to([2.6, 1.5, 0])
        dot = chart.marker("cost", 0, 0.11)
        count = VGroup(
            *(
                NumberLabel(
                    trace.quantity(f"users_{n}"), "plain", size="display", after=" user" if n == 1 else " users"
                )
                for n in (1, 2, 4, 8, 16, 32, 64)
            )
        )
        for each in count:
            each.move_to([-5.9, 1.2, 0], aligned_edge=LEFT)
        with self.step() as s:
            self.play(FadeOut(self.machine), run_time=0.5)
            self.play(FadeIn(chart.axes, dot, count[0]), run_time=0.6)
            for place in range(1, 7):
                if place == 2:
                    s.until("more")
                if place == 6:
                    s.until("cheap")
                self.advance(trace, chart, dot, count, place)
            s.until("measured")
            shared = (self.bar, self.slice, self.figure, self.unit, self.step_note)
            self.play(FadeOut(chart.axes, dot, self.walked, count[-1], *shared), run_time=0.5)
            self.measured()

    def measured(self) -> None:
        """The same shape, measured: the time of a token in one layer of real experts, by tokens that share the read.

        It has the stage alone: beside the price of a token, its gain would be taken for that of the price.
        """
        found = self.run("roofline_measured")
        most = found["tokens"].labels["tokens"][-1]
        curves = [
            Series("bytes and products allow", found["experts_floor"], x=found["tokens"], role="muted"),
            Series("measured", found["experts_token"], x=found["tokens"], role="expert"),
        ]
        chart = LineChart(
            curves, x_name="tokens that share the read", y_name="time of one token", x_log=True, y_log=True,
            width=6.6, height=3.4, names="", stroke=3,
        )  # fmt: skip
        chart.move_to(STAGE_CENTER + 2.4 * RIGHT)
        rings = VGroup(*(chart.marker("measured", place, 0.09) for place in range(found["tokens"]["tokens"])))
        rings.set_fill(role("ground"), 1).set_stroke(role("expert"), 3)
        less = NumberLabel(
            found.quantity(f"experts_less_{most}"), "times 2", size="display", role="expert", after=" less time"
        )
        less.move_to([SAFE_LEFT + 0.1, 0.9, 0], aligned_edge=LEFT)
        chip = " ".join(found.meta["chip"].split()[:2])
        words = (
            f"V3's experts, one layer, measured on an {chip}",
            "grey: the least time that memory\nand arithmetic allow",
        )
        notes = VGroup(label(words[0], "small", "expert", width=3.6), label(words[1], "small", "muted"))
        notes.arrange(DOWN, buff=0.2, aligned_edge=LEFT).next_to(less, DOWN, buff=0.25, aligned_edge=LEFT)
        self.origin(self.trace, found)
        self.play(FadeIn(chart.axes, chart.curves["bytes and products allow"], notes), run_time=0.8)
        self.play(FadeIn(chart.curves["measured"], rings, lag_ratio=0.1), run_time=1.2)
        self.play(FadeIn(less, shift=0.2 * UP), run_time=0.5)

    def advance(self, trace: Trace, chart: LineChart, dot: VMobject, count: VGroup, place: int) -> None:
        """Twice as many users: the bar is cut again, the dot moves down the curve."""
        users = round(float(self.users.values[place]))
        figure = NumberLabel(trace.quantity(f"cost_{users}"), "plain .2 bare", size="display", role="cost", before="$")
        figure.move_to(self.figure, aligned_edge=LEFT).align_to(self.figure, DOWN)
        unit = self.unit.copy().next_to(figure, RIGHT, buff=0.25, aligned_edge=DOWN)
        step = NumberLabel(trace.quantity(f"step_{users}"), "si 3", size="small", role="muted", before=STEP)
        step.move_to(self.step_note, aligned_edge=LEFT)
        piece = Line(chart.at("cost", place - 1), chart.at("cost", place), stroke_color=role("cost"), stroke_width=3)
        self.walked.add(piece)
        self.play(
            self.bar.divide_to(place),
            dot.animate.move_to(chart.at("cost", place)),
            Create(piece),
            renew(VGroup(self.figure, self.unit), VGroup(figure, unit)),
            renew(self.step_note, step),
            renew(count[place - 1], count[place]),
            run_time=1.3 if place < 6 else 1.6,
        )
        self.figure, self.unit, self.step_note = figure, unit, step
        if place == 6:
            self.slice = self.bar.part(0)
            self.play(FadeIn(self.slice), run_time=0.5)


class TwoLevers(LectureScene):
    """The serving model with two sliders: what runs, and what is remembered; a crowd and a price follow."""

    lecture = 6
    #: state → number of the run after ``cost_`` and ``batch_``
    shown: VGroup
    states = ("dense_mha", "moe_mha", "moe_gqa8", "moe_mla", "dense_mla")

    def construct(self) -> None:
        self.show_title()
        self.trace, self.slowest = self.run("serving"), self.number("run.shared_read.slowest")
        total, active = self.number("v3.total_params"), self.number("v3.active_params")
        caches = [self.number(f"v3.kv_bytes_per_token_{kind}") for kind in ("mha", "gqa8", "mla")]
        stops, length = [("all", total), ("experts", active)], 4.35
        self.model = Slider(
            stops, name="parameters that work on a token", role="expert", fmt="words 3 bare", log=True, length=length
        )
        stops = list(zip(("full", "shared keys", "latent"), caches, strict=True))
        self.cache = Slider(
            stops,
            name="bytes that a token leaves in the cache",
            role="latent",
            fmt="si 2 bare",
            log=True,
            length=length,
        )
        VGroup(self.model, self.cache).arrange(DOWN, buff=1.1).move_to(STAGE_CENTER).align_to([-6.3, 0, 0], LEFT)
        self.crowd = Crowd(self.people("dense_mha"), columns=10, pitch=0.3).shift([-0.45, -1.55, 0])
        self.bill = Waffle(
            self.price("dense_mha"), self.number("run.shared_read.square"), columns=12, cell=0.26, role="cost"
        )
        self.bill.place_at([3.25, 1.65, 0])
        self.chip = Rectangle(width=3.35, height=3.65, stroke_color=role("muted"), stroke_width=2).move_to(
            [1.05, 0.08, 0]
        )
        square = NumberLabel(
            self.number("run.shared_read.square"), "plain .2 bare", before="a square: $", size="small", role="muted"
        )
        least = NumberLabel(
            self.slowest, "plain bare", before="at least ", after=" a second", size="small", role="muted"
        )
        limits = VGroup(self.text_of_each(self.trace), least).arrange(DOWN, buff=0.1, aligned_edge=LEFT)
        self.notes = VGroup(limits.next_to(self.chip, UP, buff=0.14, aligned_edge=LEFT))
        self.notes.add(square.align_to(self.bill.squares, LEFT).align_to(self.notes[0], DOWN))
        self.origin(self.trace, self.number("run.shared_read.square"), total, active, *caches)
        self.start()
        self.pull()
        self.apart()

    @staticmethod
    def text_of_each(trace: Trace) -> NumberLabel:
        """How long a text each user brings: what the cache has to hold."""
        length = computed(trace.params["context"], "", "a setting of the run", name="tokens of each user")
        return NumberLabel(length, "plain", before="each with ", after=" tokens of text", size="small", role="muted")

    def price(self, state: str) -> Quantity:
        return self.trace.quantity(f"cost_{state}")

    def people(self, state: str) -> Quantity:
        return self.trace.quantity(f"batch_{state}")

    def figures(self, state: str) -> VGroup:
        """The numbers under crowd and price; of a price so many digits that its division by another gives the gain."""
        users = NumberLabel(self.people(state), "plain bare", size="body", after=" users a chip")
        users.move_to([-0.62, -2.05, 0], aligned_edge=LEFT)
        price = NumberLabel(
            self.price(state), "plain 3 bare", size="body", role="cost", before="$", after=" a million tokens"
        )
        price.set_y(-2.05).align_to(self.notes[1], LEFT)
        return VGroup(users, price)

    def go(self, state: str, *moves: object, run_time: float = 1.4) -> None:
        """Move levers, and let crowd and price follow; their figures are away while dots and squares are on the way."""
        self.play(FadeOut(self.shown), run_time=0.3)
        self.play(
            *moves,
            self.crowd.grow_to(self.people(state)),
            self.bill.change_to(self.price(state)),
            run_time=run_time,
        )
        self.shown = self.figures(state)
        self.play(FadeIn(self.shown), run_time=0.4)

    def slowing(self) -> VGroup:
        """Each user's speed as more share V3's step, and the limit below which nobody shall come."""
        read = self.run("shared_read")
        users, speed = read["users"], read["user_speed"]
        chart = LineChart(
            [Series("speed", speed, x=users, role="token")],
            x_axis=Axis.holding(users.values, log=True, name="users a chip, with V3", ticks=tuple(users.values)),
            y_axis=Axis.holding(speed.values, zero=True, name="tokens a second for each of them"),
            width=9.0, height=3.3, names="", stroke=4,
        )  # fmt: skip
        chart.move_to(STAGE_CENTER)
        x, foot = chart.axes.x, chart.axes.y.low
        ends = [chart.axes.point(place, float(self.slowest)) for place in (x.low, x.high)]
        line = Line(*ends, stroke_color=role("accent"), stroke_width=3)
        low = Polygon(*ends, *(chart.axes.point(place, foot) for place in (x.high, x.low)), stroke_width=0)
        low.set_fill(tint("cost", 0.3), 0.6)
        name = NumberLabel(self.slowest, "plain bare", before="nobody below ", after=" a second", role="accent")
        name.next_to(line, DOWN, buff=0.2)  # between two lines of the grid
        text = self.text_of_each(read).move_to(chart.axes.corners, aligned_edge=UP + RIGHT).shift(0.45 * UP)
        axes = VGroup(chart.axes, text)
        return VGroup(axes, chart.curves["speed"], chart.marker("speed", 0, 0.11), VGroup(low, line, name))

    def start(self) -> None:
        self.shown = self.figures("dense_mha")
        axes, curve, dot, limit = self.slowing()
        with self.step() as s:
            self.play(FadeIn(axes, dot), run_time=0.8)
            s.until("slow")
            self.play(Create(curve), MoveAlongPath(dot, curve.copy()), run_time=2.0, rate_func=EASE)
            s.until("limit")
            self.play(FadeIn(limit), run_time=0.8)
            s.until("dense")
            self.play(FadeOut(axes, dot, curve, limit), run_time=0.5)
            self.play(FadeIn(self.model, self.cache, shift=0.2 * RIGHT), run_time=0.8)
            self.play(self.model.knob.animate.scale(1.5), self.cache.knob.animate.scale(1.5), run_time=0.5)
            self.play(self.model.knob.animate.scale(1 / 1.5), self.cache.knob.animate.scale(1 / 1.5), run_time=0.5)
            s.until("few")
            self.play(FadeIn(self.chip, self.notes[0], self.crowd, self.shown[0]), run_time=0.8)
            self.play(FadeIn(self.bill, self.notes[1], self.shown[1]), run_time=0.8)

    def pull(self) -> None:
        with self.step() as s:
            s.until("moe")
            self.play(self.model.move_to_stop("experts"), run_time=1.2)
            s.until("nothing")
            new = self.figures("moe_mha")  # the same figures: nothing moves, so they may stay
            self.play(renew(self.shown, new), run_time=0.8)
            self.shown = new
            s.until("gqa")
            self.go("moe_gqa8", self.cache.move_to_stop("shared keys"))
            s.until("mla")
            self.go("moe_mla", self.cache.move_to_stop("latent"))

    def apart(self) -> None:
        with self.step() as s:
            s.until("back")
            self.go("dense_mla", self.model.move_to_stop("all"))
            s.until("both")
            self.go("moe_mla", self.model.move_to_stop("experts"))
            gain = NumberLabel(
                self.number("run.shared_read.levers"), "times 2", size="title", role="reward", after=" cheaper"
            )
            alone = self.alone()
            gain.set_y(0.75).align_to(self.notes[1], LEFT)
            than = label("than with neither:", "small", "muted").next_to(gain, DOWN, buff=0.14, aligned_edge=LEFT)
            alone.next_to(than, DOWN, buff=0.25, aligned_edge=LEFT)
            self.play(FadeIn(gain, than, alone, shift=0.2 * UP), run_time=0.8)

    def alone(self) -> VGroup:
        """What a million tokens cost with neither lever, with one of them, and with both."""
        lines = VGroup()
        for words, state, colour in (
            ("neither: $", "dense_mha", "muted"),
            ("experts alone: $", "moe_mha", "expert"),
            ("latent alone: $", "dense_mla", "latent"),
            ("both: $", "moe_mla", "reward"),
        ):
            lines.add(NumberLabel(self.price(state), "plain 3 bare", size="small", role=colour, before=words))
        return lines.arrange(DOWN, buff=0.12, aligned_edge=LEFT)
