"""Words, numbers and their origins."""

from __future__ import annotations

from manim import DOWN, RIGHT, UP, Group, Mobject, VGroup

from explainers import runs
from explainers.references import resolve
from scenes.kit import (
    ROLES,
    SIZES,
    AxisTick,
    Bracket,
    Callout,
    CountingNumber,
    DateLabel,
    Formula,
    Label,
    Legend,
    NumberLabel,
    OriginLine,
    Phrase,
    Slider,
    TokenChip,
    TokenRow,
    VectorColumn,
    YearTick,
    column,
    cross,
    label,
    math,
    mono,
    role,
    row,
    tick,
    tint,
    title,
    verdict,
)
from scenes.kit.examples.showing import shows


@shows(Label, label)
def type_sizes() -> Mobject:
    """The sizes of type. Words are set large and scaled down, so that their letters stand evenly."""
    return column(*(label(f"{size}: keys and queries", size) for size in SIZES if size != "hero"))


@shows(role)
def colours() -> Mobject:
    """Every role and its colour, measured against the ground; the same in all lectures."""
    names = [name for name in ROLES if name not in ("ground", "surface", "hairline")]
    return VGroup(*(label(name, "body", name) for name in names)).arrange_in_grid(cols=4, buff=(0.6, 0.25))


@shows(tint)
def tints() -> Mobject:
    """A role's colour mixed into the ground: fillings behind words, from a little to half of it."""
    chips = [TokenChip(" cat") for _ in range(4)]
    for chip, share in zip(chips, (0.1, 0.2, 0.35, 0.5), strict=True):
        chip.box.set_fill(tint("latent", share), 1)
    return row(*chips)


@shows(title)
def a_title() -> Mobject:
    """The one title of a scene; it stands top left from the beginning to the end."""
    return title("The cache grows with every token")


@shows(mono)
def code_words() -> Mobject:
    """Names as they stand in code."""
    return mono("kv_lora_rank = kv_dim", "heading")


@shows(Phrase)
def coloured_words() -> Mobject:
    """One line whose words have the colours of the things that they name."""
    return Phrase(("keys", "key"), (" and ", "text"), ("values", "value"), (" share a ", "text"), ("latent", "latent"))


@shows(Formula, math)
def a_formula() -> Mobject:
    """Mathematics, set by Typst; a role's name colours its argument."""
    return column(
        math("latent(c)_t^(K V) = W^(D K V) h_t"),
        math("softmax((query(q)^top key(k)) / sqrt(d_h)) value(v)"),
        gap=0.5,
    )


@shows(NumberLabel)
def a_number() -> Mobject:
    """A Quantity as it is read. What is shown is rounded, the value behind it is not."""
    size = resolve("v3.kv_bytes_per_token")
    return column(
        NumberLabel(size, "si", size="display", role="latent"),
        NumberLabel(size, "plain", size="heading"),
        NumberLabel(resolve("v3.total_params"), "words 3", size="heading"),
    )


@shows(CountingNumber)
def a_counting_number() -> Mobject:
    """A number on its way from one Quantity to another; here half of the way."""
    trace = runs.get("kv_attentions")
    return CountingNumber(trace.quantity("mha"), trace.quantity("mla"), "si 3", size="display").show(0.5)


@shows(OriginLine)
def an_origin() -> Mobject:
    """Whence the numbers of a picture come: a run, or a report with its section. It stands bottom left."""
    trace = runs.get("kv_attentions")
    return OriginLine(trace, resolve("v3.layers"))


@shows(TokenChip)
def a_token() -> Mobject:
    """A token as it is in the vocabulary: a leading space is shown, a line break too."""
    return row(*(TokenChip(token) for token in (" cat", "s", "\n")))


@shows(TokenRow)
def a_text() -> Mobject:
    """A sentence as the trained model's tokenizer cuts it."""
    return TokenRow(runs.get("mla_sentence")["c_kv"].labels["token"], width=6.5, rows=2)


@shows(Legend)
def a_legend() -> Mobject:
    """What the colours of a picture stand for."""
    return Legend([("query", "query"), ("key", "key"), ("value", "value"), ("latent", "latent")])


@shows(Bracket)
def a_bracket() -> Mobject:
    """A span with its name."""
    tokens = TokenRow(("Read", " this", " line", ",", " then"))
    return VGroup(tokens, Bracket(VGroup(*tokens.chips[:3]), "what the cache holds", DOWN, role="latent"))


@shows(Callout)
def a_callout() -> Mobject:
    """A word beside a thing, and the line that ties them."""
    latent = VectorColumn(runs.get("mla_sentence")["c_kv"].pick(layer=1, token=5), role="latent", name="c")
    return Group(latent, Callout("this alone is stored", latent, RIGHT, role="latent"))


@shows(AxisTick)
def ticks() -> Mobject:
    """Numbers at an axis. The audit compares each with the place at which it stands."""
    return row(AxisTick(0.0), AxisTick(50.0, "%"), AxisTick(1e9, "B"), gap=1.0)


@shows(YearTick)
def years() -> Mobject:
    """A year at an axis of time: no number without origin, but a name."""
    return row(YearTick(2024), YearTick(2025), YearTick(2026), gap=1.0)


@shows(DateLabel)
def a_date() -> Mobject:
    """The day of a cited event, as it is read."""
    return DateLabel(resolve("fact.timeline.licence_mit.date"), "heading")


@shows(Slider)
def a_knob() -> Mobject:
    """A knob that the scene turns: stops with their values, and where it stands."""
    trace = runs.get("shared_read")
    stops = [(count, trace.quantity(f"users_{count}")) for count in ("1", "4", "16", "64")]
    return Slider(stops, name="users who share one reading of the weights", log=True, length=7, at="16")


@shows(tick, cross, verdict)
def verdicts() -> Mobject:
    """Right and wrong: a sign, and a colour that says the same."""
    return row(tick(size=0.6), cross(size=0.5), *(verdict(right, 0.6).shift(UP) for right in (True, False)), gap=0.8)
