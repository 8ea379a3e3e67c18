"""Lecture 6: list prices since GPT-4, swept by a line of time."""

from __future__ import annotations

from manim import DOWN, LEFT, RIGHT, UP, Circle, FadeIn, FadeOut, Line, VGroup, linear

from explainers.traces import Trace
from scenes.kit import STAGE_CENTER, Label, Legend, Listings, NumberLabel, PriceRace, dim, label, role
from scenes.stage import LectureScene, StageStep

#: Prices that are written beside their dots.
SHOWN = (
    "gpt4",
    "v2",
    "v3_1",
    "v3_2",
    "v4_flash_launch",
    "v4_flash_2026_08",
    "haiku5_5",
    "r1",
    "o1",
    "gpt6_luna",
    "v4_1_flash",
)


class ThePriceRace(LectureScene):
    """Every listing appears on its day; DeepSeek's small model is a line, the others are dots."""

    lecture = 6

    def construct(self) -> None:
        self.show_title()
        trace = self.run("price_history")
        roles = (
            ("others", "token", False),
            ("deepseek_large", "query", False),
            ("deepseek_peak", "cost", True),
            ("deepseek", "latent", True),
        )
        lines = [
            Listings.of(trace, name, colour, stepped=stepped, dashed=name != "deepseek")
            for name, colour, stepped in roles
        ]
        self.race = PriceRace(lines, low=0.13, ticks=(0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100), width=10.9, height=4.0)
        self.race.move_to(STAGE_CENTER).shift(0.28 * DOWN)
        self.origin(trace, *(trace.quantity(f"{key}_out") for key in SHOWN))
        self.race.show(float(self.race.axes.x.low))
        self.old = VGroup()
        self.first(trace)
        self.way(trace)
        self.rise(trace)

    def tag(
        self, trace: Trace, line: str, listing: str, key: str, colour: str, side: object, words: str = ""
    ) -> VGroup:
        """Name and price of a listing, beside its dot."""
        index = self.race.find(line, listing)
        price = trace.quantity(key)
        fmt = "plain bare" if float(price) >= 10 else "plain .2 bare"
        name: Label = label(words or listing, "small", colour)
        figure = NumberLabel(price, fmt, size="small", role=colour, before="$")
        group = VGroup(name, figure.next_to(name, RIGHT, buff=0.14))
        group.next_to(self.race.at(line, index), side, buff=0.2)
        return group

    def come(self, *tags: VGroup) -> None:
        """Tags arrive, and are noted as what leaves next."""
        self.play(FadeIn(*tags), run_time=0.5)
        self.old.add(*tags)

    def clear(self) -> None:
        """All that stood beside the dots leaves, once: a thing faded out a second time would flash up again."""
        self.play(FadeOut(self.old), run_time=0.4)
        self.old = VGroup()

    def sweep(self, s: StageStep, line: str, listing: str, mark: str, beyond: float = 0.02) -> None:
        """Move time so that it stands at a listing when its word is said."""
        moment = self.race.year_of(line, self.race.find(line, listing)) + beyond
        self.play(self.race.sweep_to(moment, rate_func=linear, run_time=max(s.left_until(mark), 0.8)))

    def first(self, trace: Trace) -> None:
        legend = Legend([("DeepSeek's small model", "latent"), ("its large one", "query"), ("other vendors", "token")])
        legend.next_to(self.race.axes.corners, UP, buff=0.62).align_to(self.race.axes.corners, RIGHT)
        hollow = VGroup(
            Circle(0.08, stroke_color=role("token"), stroke_width=2.2),
            label("hollow: found in somebody else's table", "small", "muted"),
        )
        hollow.arrange(RIGHT, buff=0.14).next_to(legend, DOWN, buff=0.14, aligned_edge=RIGHT)
        self.legend = VGroup(legend, hollow)
        with self.step() as s:
            self.play(FadeIn(self.race), run_time=0.8)
            self.play(FadeIn(self.legend), run_time=0.5)
            s.until("dots")
            self.sweep(s, "others", "GPT-4", "gpt")
            self.come(self.tag(trace, "others", "GPT-4", "gpt4_out", "token", RIGHT))
            self.sweep(s, "deepseek", "V2", "vtwo")
            first = self.tag(trace, "deepseek", "V2", "v2_out", "latent", LEFT)  # stays: what later prices return to
            self.play(FadeIn(first), run_time=0.5)
            self.sweep(s, "deepseek_large", "R1", "rone")
            r1 = self.tag(trace, "deepseek_large", "R1", "r1_out", "query", LEFT)
            o1 = self.tag(trace, "others", "o1", "o1_out", "token", LEFT)
            self.come(r1, o1)

    def way(self, trace: Trace) -> None:
        with self.step() as s:
            self.clear()
            s.until("up")
            moment = self.race.year_of("deepseek", self.race.find("deepseek", "V3.1")) + 0.03
            self.play(self.race.sweep_to(moment, rate_func=linear, run_time=2.2))
            self.come(self.tag(trace, "deepseek", "V3.1", "v3_1_out", "latent", LEFT))
            self.sweep(s, "deepseek", "V3.2", "sparse")
            self.come(self.tag(trace, "deepseek", "V3.2", "v3_2_out", "latent", UP + RIGHT))
            self.sweep(s, "deepseek", "V4-Flash", "back")
            self.come(self.tag(trace, "deepseek", "V4-Flash", "v4_flash_launch_out", "latent", DOWN + LEFT))

    def rise(self, trace: Trace) -> None:
        with self.step() as s:
            moment = self.race.year_of("deepseek_peak", 0) + 0.03
            self.play(self.race.sweep_to(moment, rate_func=linear, run_time=max(s.left_until("rise") - 0.4, 0.8)))
            self.clear()
            calm = self.tag(trace, "deepseek", "V4-Flash", "v4_flash_2026_08_out", "latent", LEFT)
            before = self.race.find("deepseek", "V4.1-Flash") - 1
            calm.next_to(self.race.at("deepseek", before), LEFT, buff=0.2).shift(0.05 * DOWN)
            self.come(calm)
            s.until("busy")
            name, key = "V4-Flash, peak", "v4_flash_2026_08_peak_out"
            self.come(
                self.tag(trace, "deepseek_peak", name, key, "cost", LEFT, "busy hours").shift(0.3 * LEFT + 0.05 * UP)
            )
            last = self.race.year_of("others", len(trace["day_others"].values) - 1) + 0.02
            self.play(
                self.race.sweep_to(last, rate_func=linear, run_time=max(s.left_until("today") - 0.4, 0.8)),
            )
            self.clear()
            self.today(trace)
            s.until("others")
            self.rivals(trace)

    def today(self, trace: Trace) -> None:
        """DeepSeek's two prices at the end of the line of time."""
        today = label("today", "small", "accent").next_to(self.race.now.get_top() + 0.12 * DOWN, RIGHT, buff=0.08)
        ends = VGroup()
        for line, key, colour in (("deepseek_peak", "peak_out", "cost"), ("deepseek", "out", "latent")):
            price = trace.quantity(f"v4_1_flash_{key}")
            figure = NumberLabel(price, "plain .2 bare", size="small", role=colour, before="$")
            level = self.race.at(line, len(trace[f"day_{line}"].values) - 1)[1]
            ends.add(figure.next_to([self.race.now.get_x(), level, 0], RIGHT, buff=0.1))
        past = [self.race.full[name] for name in ("others", "deepseek_large")]
        past += [self.race.hollow[name] for name in ("others", "deepseek_large")]
        self.play(FadeIn(today, ends), dim(*past, to=0.3), run_time=0.6)  # what is asked today stands out

    def rivals(self, trace: Trace) -> None:
        """A ring around the two that ask less."""
        names = ("GPT-6 Luna", "Claude Haiku 5.5")
        luna = self.tag(trace, "others", names[0], "gpt6_luna_out", "token", DOWN + LEFT, ", ".join(names))
        ring = Circle(0.24, stroke_color=role("accent"), stroke_width=3)
        places = [self.race.find("others", name) for name in names]
        here = [self.race.at("others", place) for place in places]
        ring.move_to((here[0] + here[1]) / 2)
        read = self.race.lines["others"].ordered()[2]  # at the vendor's: a full dot
        bright = VGroup()
        for at, place in zip(here, places, strict=True):
            dot = Circle(self.race.radius, stroke_width=2.2, color=role("token")).move_to(at)
            bright.add(dot.set_fill(role("token"), 1.0 if read[place] else 0.0))
        luna.next_to(ring, DOWN, buff=0.22).align_to(ring.get_center() + 0.1 * RIGHT, RIGHT)
        lead = Line(ring.get_bottom(), [ring.get_x(), luna.get_top()[1] + 0.03, 0], stroke_width=2)
        self.play(FadeIn(luna, ring, bright, lead.set_stroke(role("accent"))), run_time=0.8)
