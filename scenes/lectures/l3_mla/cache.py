"""Lecture 3: how much memory remembering takes, and how attention came to share."""

from __future__ import annotations

from manim import DOWN, LEFT, RIGHT, UP, Create, FadeIn, FadeOut, Group, LaggedStart, Line, Rectangle, VGroup

from explainers.quantities import computed
from explainers.traces import Trace
from scenes.kit import (
    SAFE_LEFT,
    SAFE_RIGHT,
    STAGE_CENTER,
    STAGE_TOP,
    CacheScale,
    CacheStack,
    CacheStrip,
    CountingNumber,
    HeadSharing,
    NumberLabel,
    keep_inside,
    label,
    role,
    row,
)
from scenes.stage import LectureScene
from scenes.waivers import waive


class TheCacheGrows(LectureScene):
    """One token in the shape of V3; the cache at two lengths beside one GPU; four ways to keep less."""

    lecture = 3
    drawn = 32
    #: name, number in the run, query heads that share one entry (none said: all), colour
    kinds = (
        ("MHA", "mha", 1, "key"),
        ("GQA", "gqa8", 16, "key"),
        ("MQA", "mqa", None, "key"),
        ("MLA", "mla", None, "latent"),
    )

    def construct(self) -> None:
        self.show_title()
        self.trace = self.run("kv_attentions")
        stack = self.one_token()
        strip = self.growing(stack)
        self.sharing(strip)

    def one_token(self) -> Group:
        """Heads of one layer as pairs of cells, then the layers behind it."""
        heads, layers = self.number("v3.heads"), self.number("v3.layers")
        pairs = VGroup()
        for _ in range(int(heads)):
            key = Rectangle(width=0.052, height=0.42, stroke_width=0, fill_color=role("key"), fill_opacity=1)
            value = key.copy().set_fill(role("value")).next_to(key, DOWN, buff=0.04)
            pairs.add(VGroup(key, value))
        pairs.arrange(RIGHT, buff=0.024)
        edge = self.edge(pairs)
        behind = VGroup(*(edge.copy().shift(step * (0.042 * UP + 0.012 * RIGHT)) for step in range(1, int(layers))))
        picture = VGroup(behind, pairs).move_to(STAGE_CENTER).shift(0.55 * UP + 0.25 * LEFT)
        head_note = NumberLabel(heads, "plain", before="", after=" heads", size="body", role="muted")
        head_note.next_to(pairs, DOWN, buff=0.25)
        layer_note = NumberLabel(layers, "plain", after=" layers", size="body", role="muted").next_to(
            behind, RIGHT, buff=0.3
        )
        names = VGroup(
            label("key", "small", "key").next_to(pairs[0][0], LEFT, buff=0.2),
            label("value", "small", "value").next_to(pairs[0][1], LEFT, buff=0.2),
        )
        total = NumberLabel(self.trace.quantity("mha"), "si 2", size="display", after="").next_to(
            head_note, DOWN, buff=0.35
        )
        keep_inside(picture, head_note, layer_note, names, total)
        self.origin(self.trace, heads, self.trace.quantity("gpu_memory"))
        with self.step() as s:
            self.play(FadeIn(pairs[0], scale=3), FadeIn(names), run_time=1.0)
            s.until("one")
            self.play(LaggedStart(*(FadeIn(pair, shift=0.1 * UP) for pair in pairs[1:]), lag_ratio=0.02), run_time=1.8)
            self.play(FadeIn(head_note), run_time=0.6)
            s.until("layers")
            self.play(LaggedStart(*(FadeIn(line) for line in behind), lag_ratio=0.03), FadeIn(layer_note), run_time=1.8)
            s.until("sum")
            self.play(FadeIn(total, shift=0.2 * UP), run_time=0.8)
        return Group(picture, head_note, layer_note, names, total)

    @staticmethod
    def edge(pairs: VGroup) -> VGroup:
        """What is seen of a layer behind others: the upper end of its keys, and at the side a key and a value."""
        above = Line(pairs.get_corner(UP + LEFT), pairs.get_corner(UP + RIGHT), color=role("key"))
        beside = (
            Line(cell.get_corner(UP + RIGHT), cell.get_corner(DOWN + RIGHT), color=cell.get_fill_color())
            for cell in pairs[-1]
        )
        return VGroup(above, *beside).set_stroke(width=1.3, opacity=0.8)

    def strip_of(self, trace: Trace, key: str, name: str, colour: str) -> CacheStrip:
        return CacheStrip(
            trace.quantity(key),
            scale=self.scale,
            name=name,
            role=colour,
            limit=trace.quantity("gpu_memory"),
            thickness=0.44,
        )

    def growing(self, stack: Group) -> CacheStrip:
        """The same cache at a longer and longer text, against the memory of one GPU."""
        trace = self.trace
        self.scale = CacheScale.of(trace.quantity("mha_128k"), length=10.6, cells=66)
        strip = self.strip_of(trace, "mha_4k", "MHA", "key").move_to(STAGE_CENTER).align_to([SAFE_LEFT, 0, 0], LEFT)
        mark = strip.limit_mark("memory of one GPU", rise=1.0)
        length = CountingNumber(
            self.number("tokens.4k"), self.number("tokens.128k"), "plain", size="heading", edge="right"
        )
        length.move_to(STAGE_CENTER + 1.9 * UP).align_to(strip, LEFT).shift(1.1 * RIGHT)
        unit = label("tokens", "heading").next_to(length, RIGHT, buff=0.2)
        note = self.scale.note("small").next_to(strip, DOWN, buff=0.3, aligned_edge=LEFT)
        share = trace.quantity("memory_share_mha_128k")
        times = NumberLabel(share, "times 2", size="display", role="cost", after=" one GPU")
        times.move_to(STAGE_CENTER + 1.6 * DOWN).set_x(0.5 * (SAFE_LEFT + strip.scale_of_bytes.length + SAFE_LEFT))
        with self.step() as s:
            self.play(FadeOut(stack), run_time=0.4)
            self.play(FadeIn(strip, length, unit, note), run_time=0.8)
            s.until("long")
            self.play(length.count(), strip.grow_to(trace.quantity("mha_128k")), run_time=2.6)
            s.until("gpu")
            self.play(Create(mark[0]), FadeIn(mark[1]), run_time=0.8)
            self.play(FadeIn(times, shift=0.2 * UP), run_time=0.6)
        self.length = VGroup(length, unit, note, mark, times)
        return strip

    def sharing(self, strip: CacheStrip) -> None:
        """Heads that share entries, and what is left to store, at the same length and scale."""
        trace = self.trace
        strips = [self.strip_of(trace, f"{key}_128k", name, colour) for name, key, _, colour in self.kinds]
        stack = CacheStack(strips, gap=0.62, note=False)
        stack.align_to([SAFE_LEFT, 0, 0], LEFT).align_to([0, STAGE_TOP, 0], UP).shift(0.15 * DOWN)
        heads = [self.shared(shared, colour == "latent") for _, _, shared, colour in self.kinds]
        sizes = [
            NumberLabel(trace.quantity(key), "si 3", size="small", role=colour) for _, key, _, colour in self.kinds
        ]
        for picture, size, each in zip(heads, sizes, strips, strict=True):
            picture.next_to(each.start, RIGHT, buff=2.4)
            size.next_to(each.start, RIGHT, buff=9.6)
        sizes[0].next_to(strips[0].name_label, RIGHT, buff=0.3)
        part = computed(self.drawn, "head", "heads that are drawn", name="heads drawn")
        note = row(
            NumberLabel(part, "plain", after=" of", size="small", role="muted"),
            NumberLabel(self.number("v3.heads"), "plain", after=" heads drawn", size="small", role="muted"),
            gap=0.08,
        )
        note.next_to(heads[-1], DOWN, buff=0.18)
        words = " less than MHA"
        less = NumberLabel(trace.quantity("mla_vs_mha"), "times 2", size="heading", role="latent", after=words)
        keep_inside(less.next_to(sizes[-1], DOWN, buff=0.25, aligned_edge=LEFT))
        said = {index: self.named(heads[index]) for index in (1, 3)}
        key = row(
            NumberLabel(self.number("tokens.128k"), "plain", before="at ", after=" tokens", size="small", role="muted"),
            self.scale.note("small"),
            label("red: beyond the memory of one GPU", "small", "cost"),
            gap=0.4,
        )
        key.align_to(strips[0].name_label, DOWN).align_to([SAFE_RIGHT, 0, 0], RIGHT)
        with self.step() as s:
            self.play(FadeOut(self.length), run_time=0.4)
            self.play(strip.animate.move_to(strips[0]), FadeIn(sizes[0], key), run_time=1.0)
            for index, mark in ((1, "gqa"), (2, "mqa"), (3, "mla")):
                s.until(mark)
                self.play(FadeIn(heads[index], shift=0.15 * RIGHT), run_time=0.8)
                if index in said:
                    self.play(FadeIn(said[index], *([note] if index == 1 else [])), run_time=0.4)
                self.play(FadeIn(strips[index], sizes[index], shift=0.2 * LEFT), run_time=0.9)
            s.until("less")
            self.play(FadeIn(less), run_time=0.8)

    def named(self, picture: HeadSharing) -> VGroup:
        """What the squares of a picture are, at the right of each of its rows."""
        latent = len(picture.made) > 0
        rows = [(picture.queries, "query heads", "query"), (picture.stored, "stored: key and value", "text")]
        if latent:
            rows[1:] = [(picture.made, "own keys, made", "key"), (picture.stored, "stored: latent", "latent")]
        names = VGroup(*(label(text, "small", colour).set_y(squares.get_y()) for squares, text, colour in rows))
        for name in names:
            name.next_to([picture.get_right()[0], name.get_y(), 0], RIGHT, buff=0.15)
        names[-1].next_to(picture.stored[-1], RIGHT, buff=0.15)
        if latent:
            names[0].shift(0.08 * UP)
            names[1].shift(0.06 * DOWN)
        return names

    def shared(self, by: int | None, latent: bool) -> HeadSharing:
        """Query heads above, what so many of them share below."""
        heads = self.number("v3.heads")
        stored = heads / (by or int(heads))
        picture = HeadSharing(heads, stored, most=self.drawn, latent=latent, note=False, drop=0.3, width=4.8)
        reason = "a quarter of the heads is drawn: one entry for all of them looks like one for half of them"
        return waive(picture, "ignores-data", reason=reason)
