"""Lecture 1: the day the market moved, and what came before it."""

from __future__ import annotations

from manim import (
    DOWN,
    LEFT,
    RIGHT,
    UP,
    Create,
    Dot,
    FadeIn,
    FadeOut,
    Group,
    GrowFromEdge,
    LaggedStart,
    Line,
    Polygon,
    Rectangle,
    Square,
    VGroup,
)

from scenes.kit import (
    EASE,
    SAFE_LEFT,
    SAFE_WIDTH,
    STAGE_CENTER,
    STAGE_TOP,
    Bar,
    BarChart,
    Bracket,
    CountingNumber,
    DateLabel,
    Event,
    NumberLabel,
    RememberLess,
    RunLess,
    Timeline,
    label,
    role,
)
from scenes.stage import LectureScene


class OneMonday(LectureScene):
    """An app climbs, a chip maker falls, and a belief that stood behind both."""

    lecture = 1
    #: How far each piece of the sketched line turns as it cracks.
    cracks = (0.3, -0.35, 0.25, -0.3, 0.35)

    def construct(self) -> None:
        self.show_title()
        climbed = self.climb()
        fallen = self.fall(climbed)
        self.belief(fallen)

    def climb(self) -> Group:
        """A list as long as the app's place was low; the app goes up, all that it passes move down by one."""
        place, countries = (
            self.number(f"fact.timeline.app_store.{each}") for each in ("position_days_earlier", "countries")
        )
        day = self.number("fact.timeline.app_store.date")
        self.origin(place, countries, day)
        pitch = 4.3 / int(place)
        rows = VGroup(*(Rectangle(width=3.2, height=pitch * 0.66, stroke_width=0) for _ in range(int(place))))
        rows.set_fill(role("hairline"), 1).arrange(DOWN, buff=pitch * 0.34)
        rows.move_to(STAGE_CENTER + 2.3 * LEFT + 0.25 * DOWN)
        app = rows[-1].set_fill(role("accent"), 1)
        heading = label("free apps, United States", "small", "muted").next_to(rows, UP, buff=0.2)
        date = DateLabel(day, "body").next_to(rows, LEFT, buff=0.5).align_to(rows, UP)
        low = NumberLabel(place, "plain", before="place ", size="heading", role="accent").next_to(app, RIGHT, buff=0.35)
        first = label("DeepSeek: number one", "heading", "accent", weight="medium")
        first.next_to(rows[0], RIGHT, buff=0.35).align_to(rows, UP)
        world = VGroup(*(Dot(radius=0.11, color=role("accent")) for _ in range(int(countries))))
        world.arrange_in_grid(cols=13, buff=0.19).next_to(first, DOWN, buff=0.75, aligned_edge=LEFT)
        also = NumberLabel(countries, "plain", before="and in ", after=" other countries", size="body")
        also.next_to(world, DOWN, buff=0.3, aligned_edge=LEFT)
        with self.step() as s:
            self.play(LaggedStart(*(FadeIn(each) for each in rows), lag_ratio=0.05), FadeIn(heading), run_time=2.0)
            s.until("low")
            self.play(FadeIn(low), run_time=0.6)
            s.until("climb")
            self.play(FadeOut(low), run_time=0.3)
            up = [each.animate.shift(pitch * DOWN) for each in rows[:-1]]
            self.play(
                app.animate.move_to(rows[0]), LaggedStart(*reversed(up), lag_ratio=0.06), run_time=2.0, rate_func=EASE
            )
            self.play(FadeIn(first, date), run_time=0.6)
            self.play(
                LaggedStart(*(FadeIn(each, scale=0.4) for each in world), lag_ratio=0.04), FadeIn(also), run_time=1.6
            )
        return Group(rows, heading, first, world, also, date)

    def fall(self, before: Group) -> Group:
        """The price as it falls, and the two largest losses of one day, to one scale."""
        market = {
            name: self.number(f"fact.timeline.market.{name}")
            for name in ("price_before", "price_after", "fall", "value_lost", "previous_record_loss", "date")
        }
        losses = BarChart(
            [
                Bar("the record before", -1 * market["previous_record_loss"], "muted"),
                Bar("this Monday", -1 * market["value_lost"], "cost"),
            ],
            horizontal=False,
            length=3.6,
            thickness=1.25,
            gap=1.0,
            fmt="usd 3",
            size="body",
        )
        losses.move_to(STAGE_CENTER + 2.7 * RIGHT + 0.25 * DOWN)
        heading = label("market value lost in one day", "small", "muted").next_to(losses, UP, buff=0.3)
        price = CountingNumber(market["price_before"], market["price_after"], "usd", size="hero", role="cost")
        price.move_to(STAGE_CENTER + 3.6 * LEFT + 0.5 * UP)
        what = label("one share of NVIDIA", "body", "muted").next_to(price, UP, buff=0.35, aligned_edge=LEFT)
        date = DateLabel(market["date"], "body").next_to(what, UP, buff=0.3, aligned_edge=LEFT)
        share = NumberLabel(market["fall"], "percent 2", size="display", role="cost", after=" in one day")
        share.next_to(price, DOWN, buff=0.45, aligned_edge=LEFT)
        earlier, now = losses.names
        with self.step() as s:
            self.play(FadeOut(before), run_time=0.6)
            self.origin(*market.values())
            self.play(FadeIn(date, what, price), run_time=0.8)
            s.until("fall")
            self.play(price.count(run_time=2.2))
            self.play(FadeIn(share), run_time=0.5)
            s.until("lost")
            self.play(FadeIn(heading, losses.names[now]), GrowFromEdge(losses.bars[now], UP), run_time=1.6)
            self.play(FadeIn(losses.numbers[now]), run_time=0.5)
            s.until("record")
            self.play(FadeIn(losses.names[earlier]), GrowFromEdge(losses.bars[earlier], UP), run_time=1.2)
            self.play(FadeIn(losses.numbers[earlier]), run_time=0.5)
        return Group(losses, heading, price, what, date, share)

    def belief(self, before: Group) -> None:
        """What was believed, as a staircase of chips; and a small pile as high. A sketch, nothing measured."""
        piles, dots = VGroup(), VGroup()
        for step, chips in enumerate((1, 2, 4, 8, 16, 32)):
            foot = [-4.7 + step * 1.45, -2.1, 0]
            pile = self.pile(chips, "dense").move_to(foot, aligned_edge=DOWN)
            piles.add(pile)
            dots.add(Dot([foot[0], -0.2 + step * 0.5, 0], radius=0.12, color=role("text")))
        stair = VGroup(
            *(Line(a.get_center(), b.get_center(), stroke_width=3) for a, b in zip(dots, dots[1:], strict=False))
        )
        stair.set_stroke(role("muted"))
        chips_name = (
            label("more\nchips →", "body", "muted").next_to(piles[0], LEFT, buff=0.3).align_to([SAFE_LEFT, 0, 0], LEFT)
        )
        better = label("better\nmodel ↑", "body").next_to(dots[0], UP, buff=0.3).align_to([SAFE_LEFT, 0, 0], LEFT)
        small = self.pile(4, "accent").move_to([4.6, -2.1, 0], aligned_edge=DOWN)
        high = Dot([4.6, dots[-1].get_y(), 0], radius=0.16, color=role("accent"))
        whose = label("DeepSeek", "body", "accent").next_to(small, DOWN, buff=0.2)
        sketch = label("a belief, sketched; nothing here is measured", "small", "muted")
        sketch.next_to(piles, DOWN, buff=0.25).align_to(piles, LEFT)
        how = label("how?", "display", "accent", weight="medium").next_to(high, RIGHT, buff=0.3)
        rise = Line(small.get_top() + 0.15 * UP, high.get_bottom() + 0.1 * DOWN, stroke_width=3).set_stroke(
            role("accent")
        )
        with self.step() as s:
            self.play(FadeOut(before), run_time=0.6)
            self.origin()
            self.play(FadeIn(chips_name, better, sketch, piles[0], dots[0]), run_time=0.6)
            s.until("belief")
            for pile, dot, line in zip(piles[1:], dots[1:], stair, strict=True):
                self.play(FadeIn(pile, shift=0.15 * UP), FadeIn(dot), Create(line), run_time=0.6)
            s.until("small")
            self.play(FadeIn(small, shift=0.15 * UP), FadeIn(whose), run_time=0.8)
            self.play(Create(rise), run_time=1.2)
            self.play(FadeIn(high, how), run_time=0.6)
            cracks = [line.animate.scale(0.7).rotate(turn) for line, turn in zip(stair, self.cracks, strict=True)]
            self.play(*cracks, run_time=0.6)

    @staticmethod
    def pile(chips: int, colour: str) -> VGroup:
        chip = Square(0.22, stroke_width=0, fill_color=role(colour), fill_opacity=1)
        pile = VGroup(*(chip.copy() for _ in range(chips)))
        return pile.arrange_in_grid(cols=min(4, chips), buff=0.06)


class OutInTheOpen(LectureScene):
    """The years before, to scale; then the last weeks, stretched."""

    lecture = 1
    keys = ("high_flyer_a100", "founded", "coder_llm", "v2", "v3", "r1", "app_store", "market")
    #: Chips that one small square stands for.
    each = 100

    def construct(self) -> None:
        self.show_title()
        self.when = {key: self.number(f"fact.timeline.{key}.date") for key in self.keys}
        self.weeks(self.years())

    def years(self) -> Timeline:
        """From the first chips to V2."""
        when, chips = self.when, self.number("fact.training.est_high_flyer.a100")
        self.origin(chips, *when.values())
        events = [
            Event(when["high_flyer_a100"], "High-Flyer buys A100 chips", "muted", 1),
            Event(when["founded"], "DeepSeek founded", "text", 1),
            Event(when["coder_llm"], "first models", "text", 1),
            Event(when["v2"], "V2", "latent", 1),
        ]
        years = Timeline(events, width=SAFE_WIDTH - 1.4, end="2025-02-10", size="body", text_width=1.35)
        years.shift([0, 0.2 - years.line.get_y(), 0])
        squares = VGroup(*(Square(0.1, stroke_width=0) for _ in range(int(chips) // self.each)))
        squares.set_fill(role("dense"), 1).arrange_in_grid(cols=10, buff=0.05)
        pile = squares.next_to(years.line.get_start(), DOWN, buff=0.55, aligned_edge=LEFT)
        note = NumberLabel(chips, "words", after=" chips", size="body", role="muted").next_to(pile, RIGHT, buff=0.25)
        scale = label("a square: a hundred", "small", "muted").next_to(note, DOWN, buff=0.14, aligned_edge=LEFT)
        marker = years.marker(when["high_flyer_a100"])
        fund, founded, first, v2 = years.events
        ideas = self.two_ideas().next_to(years.at(when["v2"]), DOWN, buff=0.75)
        with self.step() as s:
            self.play(Create(years.line), run_time=1.4)
            s.until("fund")
            self.play(FadeIn(fund, marker), run_time=0.6)
            self.play(LaggedStart(*(FadeIn(each) for each in pile), lag_ratio=0.02), FadeIn(note, scale), run_time=1.6)
            for name, event, mark in (("founded", founded, "found"), ("coder_llm", first, "first"), ("v2", v2, "v2")):
                s.until(mark)
                self.play(years.move(marker, when[name]), run_time=1.0, rate_func=EASE)
                self.play(FadeIn(event), run_time=0.5)
            self.play(FadeIn(ideas, shift=0.2 * DOWN), run_time=0.8)
        self.leaving, self.marker = Group(pile, note, scale, ideas), marker
        return years

    def two_ideas(self) -> VGroup:
        """V2's experts and V2's latent, small."""
        routes = self.run("untrained_gate", model="v2")["chosen"]
        experts = RunLess(self.number("v2.experts_per_token"), self.number("v2.routed_experts"), routes)
        latent = RememberLess(self.number("v2.kv_values_per_layer"), self.number("v2.kv_values_per_layer_mha"))
        ideas = VGroup()
        for panel in (experts, latent):
            picture = panel.picture.scale(1.45 / panel.picture.height)
            ideas.add(VGroup(picture, label(panel.words, "small", panel.role).next_to(picture, DOWN, buff=0.18)))
        return ideas.arrange(RIGHT, buff=0.7)

    def weeks(self, years: Timeline) -> None:
        """The end of the line, drawn out under it."""
        when, start, end = self.when, "2024-12-20", "2025-01-31"
        events = [
            Event(when["v3"], "V3: weights, paper, training hours", "latent", 1),
            Event(when["r1"], "R1", "reward", 1),
            Event(when["market"], "the market falls", "cost", 1),
        ]
        weeks = Timeline(events, width=SAFE_WIDTH - 1.4, start=start, end=end, size="body", text_width=2.6)
        weeks.shift([0, -1.5 - weeks.line.get_y(), 0])
        lift = STAGE_TOP - years.get_top()[1]
        part = Line(years.at(start), years.at(end), stroke_width=8).set_stroke(role("accent")).shift(lift * UP)
        beam = [part.get_start(), part.get_end(), weeks.line.get_end(), weeks.line.get_start()]
        lens = Polygon(*beam, stroke_width=0, fill_color=role("surface"), fill_opacity=1)
        days = NumberLabel(when["market"] - when["v3"], "plain", after="s, free to read", size="body", role="accent")
        bracket = Bracket(Line(weeks.at(when["v3"]), weeks.at(when["market"])), days, DOWN, gap=0.5)
        v3, r1, market = weeks.events
        with self.step() as s:
            self.play(FadeOut(self.leaving, self.marker), years.animate.shift(lift * UP), run_time=0.8)
            drawn_out = part.copy()
            self.play(Create(part), run_time=0.4)
            self.bring_to_back(lens)
            self.play(FadeIn(lens), drawn_out.animate.become(weeks.line), run_time=1.0)
            marker = weeks.marker(when["v3"])
            self.play(FadeIn(v3, marker), run_time=0.6)
            s.until("r1")
            self.play(weeks.move(marker, when["r1"]), run_time=1.2, rate_func=EASE)
            self.play(FadeIn(r1), run_time=0.5)
            s.until("market")
            self.play(weeks.move(marker, when["market"]), run_time=1.0, rate_func=EASE)
            self.play(FadeIn(market), run_time=0.5)
            self.play(FadeIn(bracket), run_time=0.8)
