"""Lecture 6: DeepSeek's published day of serving, recounted in two ways, and what it did not earn."""

from __future__ import annotations

from manim import DOWN, LEFT, RIGHT, UP, Create, DashedVMobject, FadeIn, FadeOut, Group, Rectangle, Square, VGroup

from explainers.traces import Trace
from scenes.kit import STAGE_CENTER, Bar, BarChart, NumberLabel, Waffle, column, label, role, row, tint
from scenes.stage import LectureScene

#: The name of the bar.
INCOME = "income, every token\nat R1's price"


class ADayInPublic(LectureScene):
    """Tokens flow in and out, become machines, become dollars; the model's lower bound; the theoretical income."""

    lecture = 6

    def construct(self) -> None:
        self.show_title()
        trace = self.run("serving_day")
        self.recount(trace)
        self.bound(trace)
        self.income(trace)

    def waffle(self, trace: Trace, key: str, colour: str, left: float) -> Waffle:
        """Machines of one phase: one square each."""
        one = self.number("fact.inference.serving_day.gpus_per_node")
        unit = (one / one).named("one machine", unit="node")
        return Waffle(trace.quantity(key), unit, rows=12, cell=0.31, role=colour).place_at([left, 0.95, 0])

    def machine(self) -> VGroup:
        """One machine: a square with its eight chips."""
        frame = Square(1.7, stroke_color=role("muted"), stroke_width=2).set_fill(tint("muted", 0.1), 1)
        per_node = round(float(self.number("fact.inference.serving_day.gpus_per_node")))
        chips = VGroup(*(Square(0.3, stroke_width=0) for _ in range(per_node))).set_fill(role("muted"), 1)
        return VGroup(frame, chips.arrange_in_grid(cols=4, buff=0.08).move_to(frame))

    def recount(self, trace: Trace) -> None:
        sides = (("prefill", "input", "query", -6.2, "read"), ("decode", "output", "reward", -1.75, "write"))
        heads, paces = Group(), Group()
        self.machines: dict[str, Waffle] = {}
        speeds = [self.number(f"fact.inference.serving_day.node_{name}_speed") for name, *_ in sides]
        self.origin(trace, *speeds, trace.quantity("published_cost"))
        for (name, what, colour, left, _), speed in zip(sides, speeds, strict=True):
            tokens = trace.quantity(f"published_{what}_tokens")
            words = " tokens read" if what == "input" else " tokens written"
            head = NumberLabel(tokens, "words 3 bare", after=words, role=colour, size="heading")
            pace = NumberLabel(speed, "plain bare", before="a machine: ", after=" a second", role="muted", size="small")
            busy = NumberLabel(trace.quantity(f"{name}_nodes"), "plain 3 bare", after=" machines busy")
            column(head, pace, busy, gap=0.16).move_to([left, 1.75, 0], aligned_edge=LEFT)
            heads.add(head), paces.add(pace)
            self.machines[name] = self.waffle(trace, f"{name}_nodes", colour, left)
        self.sums = self.totals(trace)
        machine, word = self.machine().move_to([0, -0.7, 0]), label("one machine of eight chips", "small", "muted")
        word.next_to(machine, DOWN, buff=0.2)
        square = label("one square: one machine", "small", "muted")
        square.next_to(Group(*self.machines.values()), DOWN, buff=0.08).align_to(self.machines["prefill"], LEFT)
        small = machine.copy().scale_to_fit_width(0.24).next_to(square, LEFT, buff=0)
        small.align_to(self.machines["prefill"], LEFT)
        square.next_to(small, RIGHT, buff=0.14)
        with self.step() as s:
            self.play(FadeIn(machine, word), run_time=0.8)
            for index, (_, _, _, _, mark) in enumerate(sides):
                s.until(mark)
                self.play(FadeIn(heads[index], shift=0.2 * DOWN), run_time=0.8)
            s.until("pace")
            self.play(FadeIn(paces), run_time=0.5)
            s.until("divide")
            self.play(FadeOut(word), machine.animate.become(small), run_time=0.7)
            self.play(FadeIn(square), self.machines["decode"].fill(run_time=1.3))
            self.play(FadeIn(busy), run_time=0.4)
            self.play(self.machines["prefill"].fill(run_time=max(s.left_until("total"), 0.8)))
            self.play(FadeIn(self.sums[0]), run_time=0.4)
            s.until("bill")
            for line in self.sums[1:]:
                self.play(FadeIn(line), run_time=0.6)
        self.heads, self.written = Group(heads, paces, machine, square), busy  # the last head is the writing

    def totals(self, trace: Trace) -> Group:
        """Machines in all, their rent, the published cost, and how far the two are apart."""
        total = NumberLabel(trace.quantity("nodes"), "plain 3 bare", after=" busy machines", size="title")
        total.move_to([2.95, 0.55, 0], aligned_edge=LEFT)
        bill = NumberLabel(trace.quantity("cost"), "usd .0", role="cost", size="title", after=" of rent")
        bill.next_to(total, DOWN, buff=0.75, aligned_edge=LEFT)
        told = NumberLabel(trace.quantity("published_cost"), "usd", role="muted", size="body", before="published: ")
        told.next_to(bill, DOWN, buff=0.3, aligned_edge=LEFT)
        apart = NumberLabel(trace.quantity("cost_error"), "percent 1", role="muted", size="body", before="apart: ")
        return Group(total, bill, told, apart.next_to(told, DOWN, buff=0.3, aligned_edge=LEFT))

    def bound(self, trace: Trace) -> None:
        """The machines that the model needs at least, bright; the others, dim."""
        least = {
            name: self.waffle(trace, f"model_{name}_nodes", colour, left)
            for name, colour, left in (("prefill", "query", -6.2), ("decode", "reward", -1.75))
        }
        total = NumberLabel(
            trace.quantity("model_nodes"), "plain 3 bare", after=" machines at least", size="title", role="accent"
        )
        total.move_to(self.sums[0], aligned_edge=LEFT)
        share = NumberLabel(
            trace.quantity("utilisation"),
            "percent 2",
            size="body",
            role="muted",
            after=" of the machines\nthat were really busy",
        )
        share.next_to(total, DOWN, buff=0.4, aligned_edge=LEFT)
        with self.step() as s:
            s.until("least")
            self.play(
                *(waffle.animate.set_opacity(0.25) for waffle in self.machines.values()),
                FadeOut(self.sums, self.written),
                run_time=1.0,
            )
            self.play(*(FadeIn(waffle) for waffle in least.values()), FadeIn(total), run_time=1.2)
            s.until("real")
            self.play(FadeIn(share), run_time=0.8)
        self.old = Group(self.heads, *self.machines.values(), *least.values(), total, share)

    def income(self, trace: Trace) -> None:
        cost = trace.quantity("published_cost")
        income = self.number("fact.inference.serving_day.theoretical_revenue")
        chart = BarChart(
            [Bar("rent of the machines", cost, "cost"), Bar(INCOME, income, "reward")],
            fmt="usd",
            length=7.6,
            thickness=0.9,
            gap=0.6,
            size="body",
        )
        chart.move_to(STAGE_CENTER + 0.35 * UP)
        bar = chart.bars[INCOME]
        frame = Rectangle(width=bar.width, height=bar.height, stroke_color=role("reward"), stroke_width=3).move_to(bar)
        bar.set_fill(tint("reward", 0.25), 1)
        dashes = DashedVMobject(frame, num_dashes=70)
        reasons = row(
            *(label(text, "body", "muted") for text in ("the app: free", "V3: cheaper", "nights: cheaper")), gap=0.9
        )
        reasons.next_to(chart, DOWN, buff=0.55).set_x(0)
        word = label("theoretical", "heading", "text").move_to(bar)
        self.origin(cost, income)
        with self.step() as s:
            self.play(FadeOut(self.old), run_time=0.6)
            self.play(chart.grow("rent of the machines"), FadeIn(chart.names["rent of the machines"]), run_time=0.9)
            s.until("income")
            self.play(chart.grow(INCOME), FadeIn(chart.names[INCOME]), run_time=1.4)
            s.until("free")
            self.play(Create(dashes), bar.animate.set_fill(opacity=0.35), run_time=1.0)
            for reason in reasons:
                self.play(FadeIn(reason, shift=0.15 * UP), run_time=0.5)
            self.play(FadeIn(word), run_time=0.6)
