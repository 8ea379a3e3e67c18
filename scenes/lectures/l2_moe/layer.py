"""Lecture 2: a layer that works whole, and the same work from a larger choice."""

from __future__ import annotations

from manim import (
    DOWN,
    LEFT,
    RIGHT,
    UP,
    AnimationGroup,
    FadeIn,
    FadeOut,
    Group,
    LaggedStart,
    RoundedRectangle,
    VGroup,
)

from explainers.traces import NamedArray, Trace
from scenes.kit import (
    EASE,
    SAFE_LEFT,
    STAGE_CENTER,
    STAGE_TOP,
    ColorScale,
    ExpertField,
    NumberLabel,
    TensorGrid,
    TokenChip,
    label,
    role,
    row,
)
from scenes.lectures.l2_moe.common import gated_layer, honest_scale, team, tile
from scenes.stage import LectureScene


def divisors(count: int) -> list[int]:
    """The numbers that divide another."""
    return [each for each in range(1, count + 1) if count % each == 0]


class AllAtWork(LectureScene):
    """Real neurons of a dense layer, all computed for every token; then the same number out of many experts."""

    lecture = 2
    layer = 0
    #: more experts than this stand in blocks, not in one row a group
    few = 32
    #: a tile of the dense layer, and the room for all of them in a row
    side, room = 1.7, 10.2

    def construct(self) -> None:
        self.show_title()
        trace = self.run("routing")
        self.gates = self.run("untrained_layers")
        if "dense_inner" not in trace.arrays:  # V4 has experts in every layer
            trace = self.run("routing", source="small")
        self.layer = gated_layer(trace, type(self).layer)
        self.sources = trace, self.number("v3.routed_experts")
        self.origin(self.gates, self.sources[1])
        high = trace.quantity("inner_high")
        zero = ColorScale.of(trace["dense_inner"]).low
        self.scales = {
            name: ColorScale("sequential", zero, high, name) for name in ("dense", "expert", "shared_expert")
        }
        tokens = trace["dense_inner"].labels["token"]
        order = sorted(range(len(tokens)), key=lambda place: (any(map(str.isalnum, tokens[place])), len(tokens[place])))
        self.first, self.second = order[-1], order[0]  # the longest token; a punctuation mark, or the shortest
        chip, dense = self.whole(trace, tokens)
        self.in_pieces(trace, tokens, chip, dense)

    def grid(self, values: NamedArray, colour: str, side: float, share: float = 1.0) -> TensorGrid:
        """Neurons as a square tile of cells, or a share of one: the brighter, the more a neuron answers."""
        shape = {"width": side * share, "height": side, "max_rows": 64, "max_columns": 64, "notes": False, "bar": False}
        return TensorGrid(tile(values), role=colour, scale=self.scales[colour], **shape)  # type: ignore[arg-type]

    def dense_tiles(self, trace: Trace, token: int) -> Group:
        """The dense layer as tiles of as many neurons as an expert has."""
        values = trace["dense_inner"].pick(token=token)
        size = round(float(trace.quantity("expert_width")))
        starts = range(0, values["neuron"], size)  # the last tile is a narrower one where they do not divide
        parts = [values.pick(neuron=slice(start, min(start + size, values["neuron"]))) for start in starts]
        side = min(self.side, self.room / len(starts))
        return row(*(self.grid(part, "dense", side, part["neuron"] / size) for part in parts), gap=0.04)

    def whole(self, trace: Trace, tokens: tuple[str, ...]) -> tuple[TokenChip, Group]:
        """Two tokens pass: each time every neuron works."""
        tiles = self.dense_tiles(trace, self.first).move_to(STAGE_CENTER + 0.25 * DOWN)
        idle = Group(*(each.frame.copy().set_fill(role("surface"), 1) for each in tiles))
        chips = [TokenChip(tokens[place], size="body") for place in (self.first, self.second)]
        above = tiles.get_top() + 0.95 * UP
        for chip in chips:
            chip.move_to(above)
        name = label("dense layer", "body", "dense").next_to(tiles, LEFT, buff=0.4)
        if name.get_left()[0] < SAFE_LEFT:
            name.next_to(tiles, UP, buff=0.2).align_to(tiles, LEFT)
        count = NumberLabel(trace.quantity("dense_width"), "plain", after=" neurons, all computed", role="dense")
        count.next_to(tiles, DOWN, buff=0.35)
        bright = label("bright: a strong answer; dark: a weak one, which costs as much", "small", "muted").next_to(
            count, DOWN, buff=0.25
        )
        with self.step() as s:
            field = self.slivers()
            s.until("usual")
            self.origin(*self.sources)
            self.play(FadeOut(field), run_time=0.4)
            self.play(FadeIn(idle), FadeIn(name), run_time=0.6)
            s.until("token")
            self.play(FadeIn(chips[0], shift=0.3 * DOWN), run_time=0.6)
            s.until("whole")
            self.play(LaggedStart(*(FadeIn(each) for each in tiles), lag_ratio=0.15), FadeIn(count), run_time=1.4)
            self.play(FadeIn(bright), run_time=0.5)
            s.until("next")
            self.play(FadeOut(chips[0], shift=0.3 * LEFT), run_time=0.3)
            self.play(FadeIn(chips[1], shift=0.3 * LEFT), run_time=0.4)
            others = self.dense_tiles(trace, self.second)
            moves = (each.morph_to(other.bound[0]) for each, other in zip(tiles, others, strict=True))
            self.play(AnimationGroup(*moves, lag_ratio=0.1), run_time=1.4)
        self.told = VGroup(name, count, bright)
        self.idle = idle
        return chips[1], tiles

    def slivers(self) -> Group:
        """What is asked: all experts of V3, and the few that one token wakes, then another."""
        field = ExpertField(self.gates["chosen"], self.number("v3.shared_experts"), width=11.2, height=3.1)
        field.sleep().move_to(STAGE_CENTER + 0.2 * UP)
        words = label("all experts of DeepSeek-V3, a row a layer; lit: those that one token wakes", "small", "muted")
        words.next_to(field, DOWN, buff=0.2).align_to(field, LEFT)
        note = label("gate untrained", "small", "muted").next_to(field, DOWN, buff=0.2).align_to(field.field, RIGHT)
        shared = label("shared", "small", "shared_expert").next_to(field.shared, UP, buff=0.12)
        self.play(FadeIn(field), FadeIn(words, note, shared), run_time=0.6)
        for token in (0, 1):
            self.play(field.path(token, run_time=1.6))
        return Group(field, words, note, shared)

    # ------------------------------------------------------------------ experts
    def places(self, trace: Trace) -> tuple[VGroup, VGroup, RoundedRectangle]:
        """Empty tiles of all experts in their groups, two rows; and the shared one beside them."""
        experts, groups = trace["original_scores"]["expert"], trace["group_scores"]["group"]
        each = experts // groups
        side = min(1.2, 5.2 / each)
        tiles = VGroup(*(self.empty(side) for _ in range(experts)))
        blocks = VGroup(*(VGroup(*tiles[g * each : (g + 1) * each]).arrange(RIGHT, buff=0.12) for g in range(groups)))
        blocks.arrange_in_grid(cols=min(2, groups), buff=(0.45, 0.3))
        if experts > self.few:
            self.pack(blocks)
            side = tiles[0].width
        shared = self.empty(max(side, 0.45), "shared_expert")
        row(blocks, shared, gap=0.5).move_to(STAGE_CENTER + 0.5 * DOWN)
        return tiles, blocks, shared

    def pack(self, blocks: VGroup) -> None:
        """Many experts: every group a block of rows, in the arrangement in which the tiles are largest."""
        each, best = len(blocks[0]), 0.0
        for across in divisors(len(blocks)):
            for columns in divisors(each):
                lines, rows = len(blocks) // across, each // columns
                wide, high = across * columns + 0.6 * (across - 1), lines * rows + 0.6 * (lines - 1)
                if (pitch := min(10.4 / wide, 3.3 / high)) > best:
                    best, shape = pitch, (across, columns)
        for block in blocks:
            for expert in block:
                expert.scale(0.86 * best / expert.width)
            block.arrange_in_grid(cols=shape[1], buff=0.14 * best)
        blocks.arrange_in_grid(cols=shape[0], buff=0.74 * best)

    def empty(self, side: float, colour: str = "expert") -> RoundedRectangle:
        """The place of an expert that is not at work."""
        frame = RoundedRectangle(width=side, height=side, corner_radius=min(0.08, side / 8), stroke_width=1.6)
        return frame.set_stroke(role("hairline")).set_fill(role("surface"), 1)

    def awake(self, trace: Trace, token: int, tiles: VGroup, shared: RoundedRectangle) -> Group:
        """The neurons of the experts that a token wakes, in their places; the shared one last."""
        inner = trace["expert_inner"].pick(layer=self.layer, token=token)
        made = Group()
        for slot, expert in enumerate(team(trace, self.layer, token)):
            side = max(tiles[expert].width - 0.1, 0.8 * tiles[expert].width)
            made.add(self.grid(inner.pick(slot=slot), "expert", side).move_to(tiles[expert]))
        if "shared_inner" in trace.arrays:
            values = trace["shared_inner"].pick(layer=self.layer, token=token)
            size = round(float(trace.quantity("expert_width")))
            made.add(self.grid(values.pick(neuron=slice(0, size)), "shared_expert", shared.width - 0.1).move_to(shared))
        return made

    def in_pieces(self, trace: Trace, tokens: tuple[str, ...], chip: TokenChip, dense: Group) -> None:
        """The layer is cut, the pieces become experts, and more of them stand by; other tokens wake others."""
        tiles, blocks, shared = self.places(trace)
        now = self.awake(trace, self.second, tiles, shared)
        apart = dense.copy().arrange(RIGHT, buff=0.3).move_to(dense)
        now_as_before = trace.quantity("neurons_at_work").value == trace.quantity("dense_width").value
        count = NumberLabel(
            trace.quantity("neurons_at_work"),
            "plain",
            after=" neurons computed, as before" if now_as_before else " neurons computed",
            role="expert",
        )
        total = NumberLabel(trace.quantity("neurons"), "plain", before="of ", role="muted")
        words = row(count, total, gap=0.2).next_to(VGroup(blocks, shared), DOWN, buff=0.3)
        scale = honest_scale(trace, self.number("v3.routed_experts"))
        scale.move_to([0, STAGE_TOP - 0.1, 0]).align_to([SAFE_LEFT, 0, 0], LEFT)
        gate = label("?", "hero", "router")
        always = label("shared by\nall tokens", "small", "shared_expert", align="center").next_to(
            shared, DOWN, buff=0.15
        )
        goals = sorted(now, key=lambda each: float(each.get_x()))  # pieces keep their order, and fly past nobody
        with self.step() as s:
            self.remove(self.idle)
            self.play(FadeOut(self.told), run_time=0.5)
            s.until("cut")
            moves = (each.animate.move_to(goal) for each, goal in zip(dense, apart, strict=True))
            self.play(*moves, run_time=1.0, rate_func=EASE)
            s.until("store")
            self.play(
                chip.animate.set_y(VGroup(blocks, shared).get_top()[1] + 0.65),
                *(
                    each.animate.move_to(place).scale(place.width / each.width)
                    for each, place in zip(dense, goals, strict=False)
                ),
                FadeIn(blocks, shared),
                run_time=1.6,
                rate_func=EASE,
            )
            self.play(FadeOut(dense), FadeIn(now, scale, always), run_time=0.6)
            s.until("same")
            self.play(FadeIn(words), run_time=0.5)
            for place in self.some(len(tokens)):
                chip, now = self.another(trace, place, chip, now, tiles, shared)
            s.until("who")
            gate.next_to(chip, RIGHT, buff=1.0)
            self.play(FadeIn(gate, shift=0.2 * UP), run_time=0.6)

    def some(self, count: int) -> list[int]:
        """A few other tokens of the sentence, evenly spread."""
        others = [place for place in range(count) if place not in (self.second,)]
        return others[:: max(1, len(others) // 3)][:3]

    def another(
        self, trace: Trace, token: int, chip: TokenChip, now: Group, tiles: VGroup, shared: RoundedRectangle
    ) -> tuple[TokenChip, Group]:
        """Another token comes, other experts wake."""
        following = TokenChip(trace["dense_inner"].labels["token"][token], size="body").move_to(chip)
        then = self.awake(trace, token, tiles, shared)
        self.play(FadeOut(chip, shift=0.3 * LEFT), FadeOut(now), run_time=0.3)
        self.play(FadeIn(following, shift=0.3 * LEFT), FadeIn(then), run_time=0.5)
        return following, then
