"""Lecture 8: a label is not a switch; and two disputes, both sides."""

from __future__ import annotations

from manim import (
    DOWN,
    LEFT,
    RIGHT,
    UP,
    Create,
    DoubleArrow,
    FadeIn,
    FadeOut,
    Group,
    LaggedStart,
    Line,
    RoundedRectangle,
    Square,
    Succession,
    VGroup,
)

from scenes.kit import (
    CAPTION_TOP,
    EASE,
    SAFE_LEFT,
    SAFE_RIGHT,
    STAGE_TOP,
    Bar,
    BarChart,
    NumberLabel,
    TokenChip,
    label,
    role,
    tint,
)
from scenes.stage import LectureScene


def layer(words: str, colour: str, width: float = 4.0, height: float = 1.25) -> VGroup:
    """One layer of a stack."""
    frame = RoundedRectangle(width=width, height=height, corner_radius=0.1, stroke_width=2.5)
    frame.set_stroke(role(colour)).set_fill(tint(colour, 0.25), 1)
    return VGroup(frame, label(words, "body").move_to(frame))


class ALabelIsNotASwitch(LectureScene):
    """A stack under a label, taken apart; and another whose base was exchanged."""

    lecture = 8
    #: states with a model of their own, made or announced
    states = ("Germany", "Netherlands", "Switzerland", "Malaysia", "Singapore")

    def construct(self) -> None:
        self.show_title()
        keys = ("malaysia", "singapore", "europe_models")
        self.origin(*(self.number(f"fact.timeline.sovereign_{key}.date") for key in keys))
        self.left()
        self.right()

    def left(self) -> None:
        """The label comes off: model, chips, cloud come from elsewhere."""
        x = SAFE_LEFT + 2.2
        stack = VGroup(layer("cloud", "muted"), layer("chips", "token"), layer("model", "latent"))
        stack.arrange(UP, buff=0.12).move_to([x, CAPTION_TOP + 0.45, 0], DOWN)
        sticker = RoundedRectangle(width=4.3, height=stack.height + 0.3, corner_radius=0.15, stroke_width=3)
        sticker.set_stroke(role("accent")).set_fill(role("surface"), 1).move_to(stack)
        cover = VGroup(sticker, label("the nation’s first AI", "heading", "accent").move_to(sticker))
        name = label("Malaysia", "heading", "text").next_to(cover, UP, buff=0.25)
        froms = [
            label(words, "body", colour).next_to(stack[place], RIGHT, buff=0.3)
            for words, colour, place in (
                ("DeepSeek, Hangzhou", "latent", 2),
                ("Huawei", "token", 1),
                ("a private firm", "muted", 0),
            )
        ]
        self.stack, self.name = stack, name
        wish = VGroup(*(self.wish(state) for state in self.states)).arrange(RIGHT, buff=0.55)
        wish.move_to([0, stack.get_y(), 0])
        chosen = wish[self.states.index("Malaysia")]
        with self.step() as s:
            self.play(LaggedStart(*(FadeIn(one, shift=0.2 * UP) for one in wish), lag_ratio=0.3), run_time=1.8)
            s.until("label")
            self.play(FadeOut(*(one for one in wish if one is not chosen)), run_time=0.4)
            own, said = chosen
            self.play(own.animate.become(sticker), said.animate.become(name), run_time=1.0, rate_func=EASE)
            self.remove(chosen)
            self.add(cover, name)
            self.play(FadeIn(cover[1]), run_time=0.4)
            s.until("peel")
            self.add(*(each[0] for each in stack))
            self.bring_to_front(cover)
            self.play(cover.animate(path_arc=-0.5).scale(0.62).shift(8.5 * RIGHT + 0.3 * UP).rotate(-0.1), run_time=1.4)
            for words, each, mark in zip(froms, stack[::-1], ("model", "chips", "cloud"), strict=True):
                s.until(mark)
                self.play(FadeIn(each[1]), FadeIn(words, shift=0.3 * RIGHT), run_time=0.6)
            s.until("retract")
            gone = label("withdrawn", "heading", "cost").next_to(cover, UP, buff=0.35)
            self.play(cover.animate.rotate(-0.28).shift(0.5 * DOWN), FadeIn(gone), run_time=0.9)
            self.play(sticker.animate.set_stroke(role("cost")), run_time=0.4)
        self.cover, self.gone = cover, gone

    @staticmethod
    def wish(state: str) -> VGroup:
        """A state and the AI that it wants: an outline."""
        own = RoundedRectangle(width=1.9, height=2.2, corner_radius=0.15, stroke_width=3)
        own.set_stroke(role("accent")).set_fill(role("surface"), 1)
        return VGroup(own, label(state, "body", "text").next_to(own, UP, buff=0.25))

    def right(self) -> None:
        """A model on a base that is pushed out and replaced; the old base stays at hand, to be had again."""
        wide, gap = 1.5, 0.2
        x = SAFE_RIGHT - 1.5 * wide - gap
        own = layer("SEA-LION", "accent", wide)
        base, other = layer("Llama", "dense", wide), layer("Qwen", "value", wide)
        base.move_to([x, self.stack[1].get_y(), 0])
        own.next_to(base, UP, buff=0.12)
        step = (wide + gap) * RIGHT  # one goes out at the left while the other comes from the right: none over another
        other.move_to(base).shift(step)
        name = label("Singapore", "heading", "text").move_to([x, self.name.get_y(), 0])
        border = base.get_left()[0] - wide - gap - 0.4
        rule = Line([border, STAGE_TOP, 0], [border, CAPTION_TOP + 0.4, 0], stroke_width=2)
        rule.set_stroke(role("hairline"))
        said = label("its own name", "small", "accent").next_to(own, RIGHT, buff=0.2)
        swap = DoubleArrow(1.7 * LEFT, 1.7 * RIGHT, buff=0, stroke_width=5, tip_length=0.2).set_color(role("reward"))
        swap.next_to(base, DOWN, buff=0.3)
        model = label("a model with open weights:\nexchangeable", "body", "muted", align="center")
        model.next_to(swap, DOWN, buff=0.2)
        with self.step() as s:
            kept = self.gone.animate.next_to(self.name, RIGHT, buff=0.4)  # what came of it stays with its state
            self.play(FadeOut(self.cover), kept, run_time=0.7)
            self.play(FadeIn(name, rule), FadeIn(own, said, shift=0.3 * DOWN), run_time=0.8)
            s.until("base")
            self.play(FadeIn(base, shift=0.4 * UP), run_time=0.8)
            s.until("swap")
            self.play(FadeIn(other), run_time=0.5)
            both = VGroup(base, other)
            self.play(both.animate.shift(-step), run_time=1.1, rate_func=EASE)
            s.until("choice")
            self.play(FadeIn(swap, model), run_time=0.6)
            self.play(both.animate.shift(step), run_time=1.1, rate_func=EASE)
            self.play(both.animate.shift(-step), run_time=1.1, rate_func=EASE)


class TwoDisputes(LectureScene):
    """Copying: what is alleged and what is answered. The gap: what is measured and what is doubted."""

    lecture = 8

    def construct(self) -> None:
        self.show_title()
        self.gap(self.copying())

    def copying(self) -> Group:
        """Answers drawn, as alleged; and a web that already holds such answers."""
        keys = {"MiniMax": "minimax", "Moonshot": "moonshot", "DeepSeek": "deepseek"}
        numbers = {name: self.number(f"fact.timeline.distill_anthropic.{key}") for name, key in keys.items()}
        total = self.number("fact.timeline.distill_anthropic.exchanges")
        reply = self.number("fact.timeline.distill_openai.date")
        self.origin(*numbers.values(), total, reply)
        chart = BarChart(
            [Bar(name, q, "cost") for name, q in numbers.items()],
            length=3.4,
            fmt="words 3",
            size="body",
            thickness=0.62,
            gap=0.4,
        )
        for name in keys:
            chart.bar(name).set_fill(role("cost"), 0.15).set_stroke(role("cost"), 2.5)
        chart.move_to([SAFE_LEFT, -0.05, 0], LEFT)
        said = VGroup(
            label("alleged by Anthropic:", "body", "cost"),
            NumberLabel(total, "words 2", size="body", role="cost", before="over ", after=" answers drawn"),
        ).arrange(DOWN, buff=0.12, aligned_edge=LEFT)
        said.next_to(chart, UP, buff=0.4).align_to([SAFE_LEFT, 0, 0], LEFT)
        hollow = label("hollow: one side’s own word", "small", "muted").next_to(chart, DOWN, buff=0.4)
        hollow.align_to(said, LEFT)
        web = VGroup(*(Square(0.32, stroke_width=1.5) for _ in range(63)))
        web.set_stroke(role("muted")).set_fill(tint("muted", 0.3), 1)
        web.arrange_in_grid(rows=7, cols=9, buff=0.1).move_to([SAFE_RIGHT - 2.45, -0.45, 0])
        answers = VGroup(*(web[place] for place in (4, 11, 17, 25, 30, 41, 47, 52, 58)))
        left = web.get_left()
        too = label("alleged by OpenAI, too, of DeepSeek", "body", "cost").align_to(left, LEFT).set_y(said[0].get_y())
        words = label("DeepSeek’s answer to OpenAI, on V3:\nnot on purpose; the web holds some", "body", "latent")
        words.next_to(web, UP, buff=0.3).align_to(left, LEFT)
        note = label("red: pages with answers of OpenAI’s models;\nhow many, nobody says", "small", "muted")
        note.next_to(web, DOWN, buff=0.25).align_to(left, LEFT)
        border = Line([1.2, STAGE_TOP, 0], [1.2, CAPTION_TOP + 0.5, 0], stroke_width=2).set_stroke(role("hairline"))
        with self.step() as s:
            lesson = self.lesson()
            s.until("accuse")
            self.play(FadeOut(lesson), run_time=0.4)
            self.play(FadeIn(border, said), run_time=0.7)
            s.until("three")
            for name in keys:
                self.play(FadeIn(chart.names[name]), chart.grow(name), run_time=0.9)
            self.play(FadeIn(hollow), run_time=0.4)
            s.until("openai")
            self.play(FadeIn(too), run_time=0.5)
            s.until("reply")
            self.play(FadeIn(words), LaggedStart(*(FadeIn(page) for page in web), lag_ratio=0.02), run_time=1.6)
            lit = (page.animate.set_fill(role("cost"), 0.8) for page in answers)
            self.play(LaggedStart(*lit, lag_ratio=0.3), run_time=2.0)
            self.play(FadeIn(note), run_time=0.5)
        return Group(chart, said, hollow, too, web, words, note, border)

    def lesson(self) -> VGroup:
        """What distillation is: one model answers, another learns from the answers."""
        teacher, pupil = (
            layer(words, colour, 2.6) for words, colour in (("one model", "muted"), ("another", "latent"))
        )
        teacher.move_to([-4.0, 0.6, 0])
        pupil.move_to([4.0, 0.6, 0])
        name = label("distillation: learning from a model’s answers", "body", "text").move_to([0, -0.9, 0])
        self.play(FadeIn(teacher, pupil), run_time=0.5)
        answers = [TokenChip("answer", role="reward").next_to(teacher, RIGHT, buff=0.15) for _ in range(4)]
        taught = pupil.get_left() + 0.7 * LEFT
        away = (
            Succession(
                FadeIn(each, run_time=0.2), each.animate(run_time=1.0).move_to(taught), FadeOut(each, run_time=0.2)
            )
            for each in answers
        )
        self.play(LaggedStart(*away, lag_ratio=0.3), FadeIn(name), run_time=2.3)
        return VGroup(teacher, pupil, name)

    def gap(self, before: Group) -> None:
        """Eight months by one ruler; and three readings of one public test."""
        months = self.number("fact.timeline.caisi.months_behind")
        swe = {
            name: self.number(f"fact.benchmarks.independent_swe_v4.{key}")
            for name, key in (("DeepSeek’s own", "vendor"), ("others’ runs", "aggregator"), ("the institute", "caisi"))
        }
        cells = VGroup(*(Square(0.8, stroke_width=2) for _ in range(int(months)))).arrange(RIGHT, buff=0.1)
        cells.set_stroke(role("muted")).move_to([SAFE_LEFT + 0.05, STAGE_TOP - 0.85, 0], LEFT)
        count = NumberLabel(months, "plain", size="body", role="cost", before="about ", after="s behind the leaders")
        count.next_to(cells, RIGHT, buff=0.35)
        doubt = label("contested: others see no growing gap", "small", "muted").next_to(count, DOWN, buff=0.15)
        doubt.align_to(count, LEFT)
        who = label("the institute CAISI, on V4-Pro", "body", "cost").next_to(cells, UP, buff=0.2).align_to(cells, LEFT)
        tests = VGroup(*(Square(0.55, stroke_width=2) for _ in range(9))).arrange(RIGHT, buff=0.12)
        tests.set_stroke(role("token")).set_fill(role("token"), 0.6)
        tests.move_to([SAFE_LEFT + 0.05, 0.75, 0], LEFT)
        hidden = label("its tests", "body", "muted").next_to(tests, RIGHT, buff=0.35)
        private = VGroup(*tests[-2:])
        shut = VGroup(*(Line(test.get_corner(DOWN + LEFT), test.get_corner(UP + RIGHT)) for test in private))
        shut.set_stroke(role("token"), 3)
        kept = label("private", "small", "token").next_to(private, DOWN, buff=0.1)
        bars = [Bar(name, q, "latent" if place == 0 else "token") for place, (name, q) in enumerate(swe.items())]
        chart = BarChart(bars, length=8.4, fmt="percent 3", size="body", thickness=0.4, gap=0.14)
        chart.bar("DeepSeek’s own").set_fill(role("latent"), 0.15).set_stroke(role("latent"), 2.5)
        chart.move_to([SAFE_LEFT, -1.68, 0], LEFT)
        name = (
            label("V4-Pro: real faults repaired, SWE-bench Verified", "body")
            .next_to(chart, UP, buff=0.2)
            .align_to(chart, LEFT)
        )
        own = label("hollow: its maker’s own count", "small", "muted").next_to(name, RIGHT, buff=0.4)
        with self.step() as s:
            self.play(FadeOut(before), run_time=0.4)
            self.origin(months, *swe.values())
            self.play(FadeIn(cells), run_time=0.4)
            s.until("caisi")
            self.play(FadeIn(who), run_time=0.5)
            fill = (cell.animate.set_fill(role("cost"), 1).set_stroke(role("cost")) for cell in cells)
            self.play(LaggedStart(*fill, lag_ratio=0.6), run_time=1.6)
            self.play(FadeIn(count), run_time=0.4)
            s.until("critics")
            self.play(FadeIn(tests, hidden), run_time=0.7)
            self.play(private.animate.set_fill(tint("token", 0.25), 1), Create(shut), FadeIn(kept), run_time=0.7)
            self.play(FadeIn(doubt), run_time=0.7)
            s.until("swe")
            self.play(FadeIn(name, *chart.names.values()), run_time=0.5)
            self.play(*(chart.grow(each) for each in swe), FadeIn(own), run_time=1.4)
