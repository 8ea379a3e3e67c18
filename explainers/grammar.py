"""Sentences from small grammars written for this project: English and German prose, and sums.

They exist so that the small model has text of several kinds whose licence is ours: every sentence is drawn from
the word lists below by a seeded generator. The German one keeps gender, case, number and word order, because
a grammar that is wrong would teach the experts nothing that deserves the name German.
"""

from __future__ import annotations

from random import Random

# ----------------------------------------------------------------------------- English
_EN_NOUNS = (
    "child teacher river garden machine letter city bird farmer window bridge song winter story doctor table "
    "market engine island painter mountain library sailor neighbour kitchen lamp village forest student harbour "
    "clock road school memory stone model word token train field question friend house answer ship museum baker morning"
).split()
_EN_ADJECTIVES = (
    "small old quiet bright careful slow warm distant heavy green simple famous narrow young patient broken clever "
    "empty gentle golden hidden lonely modern wooden tired curious honest early strange deep"
).split()
_EN_TRANSITIVE = (
    "finds builds remembers watches follows opens paints carries reads writes forgets needs describes repairs likes "
    "sees keeps brings loses draws visits hears counts explains"
).split()
_EN_PAST = (
    "found built remembered watched followed opened painted carried read wrote forgot needed described repaired "
    "liked saw kept brought lost drew visited heard counted explained"
).split()
_EN_INTRANSITIVE = "sleeps waits laughs works sings travels returns rests listens smiles disappears grows".split()
_EN_PLACES = ("in", "near", "behind", "beyond", "above", "without", "beside", "under", "across", "after")
_EN_LINKS = ("because", "while", "although", "when", "before", "until", "since", "as soon as")
_EN_TIMES = (
    "in the evening", "every morning", "last year", "at night", "on Sunday", "in spring", "for a long time",
    "once again", "after the rain", "in those days",
)  # fmt: skip
_EN_NAMES = ("Anna", "Peter", "Maria", "Paul", "Clara", "David", "Emma", "Jonas", "Lucy", "Martin")


def _en_noun_phrase(draw: Random) -> str:
    if draw.random() < 0.15:
        return draw.choice(_EN_NAMES)
    words = [draw.choice(_EN_ADJECTIVES)] if draw.random() < 0.45 else []
    words.append(draw.choice(_EN_NOUNS))
    article = draw.choice(("the", "the", "a", "this", "every"))
    if article == "a" and words[0].startswith(("a", "e", "i", "o", "u", "honest")):
        article = "an"
    return " ".join([article, *words])


def _en_clause(draw: Random) -> str:
    subject = _en_noun_phrase(draw)
    kind = draw.random()
    if kind < 0.4:
        text = f"{subject} {draw.choice(_EN_TRANSITIVE)} {_en_noun_phrase(draw)}"
    elif kind < 0.75:
        text = f"{subject} {draw.choice(_EN_PAST)} {_en_noun_phrase(draw)}"
    else:
        text = f"{subject} {draw.choice(_EN_INTRANSITIVE)}"
    if draw.random() < 0.4:
        text += f" {draw.choice(_EN_PLACES)} {_en_noun_phrase(draw)}"
    return text


def english_sentence(draw: Random) -> str:
    """One English sentence."""
    text = _en_clause(draw)
    kind = draw.random()
    if kind < 0.3:
        text += f" {draw.choice(_EN_LINKS)} {_en_clause(draw)}"
    elif kind < 0.45:
        text = f"{draw.choice(_EN_TIMES)}, {text}"
    elif kind < 0.55:
        text += f", and {_en_clause(draw)}"
    elif kind < 0.62:
        text = f'"{text}", said {draw.choice(_EN_NAMES)}'
        return text[0] + text[1].upper() + text[2:] + "."
    return text[0].upper() + text[1:] + "."


# ----------------------------------------------------------------------------- German
#: noun → (gender, plural)
_DE_NOUNS = {
    "Kind": ("n", "Kinder"), "Lehrer": ("m", "Lehrer"), "Fluss": ("m", "Flüsse"), "Garten": ("m", "Gärten"),
    "Maschine": ("f", "Maschinen"), "Brief": ("m", "Briefe"), "Stadt": ("f", "Städte"), "Vogel": ("m", "Vögel"),
    "Fenster": ("n", "Fenster"), "Brücke": ("f", "Brücken"), "Lied": ("n", "Lieder"),
    "Geschichte": ("f", "Geschichten"),
    "Ärztin": ("f", "Ärztinnen"), "Tisch": ("m", "Tische"), "Markt": ("m", "Märkte"), "Insel": ("f", "Inseln"),
    "Maler": ("m", "Maler"), "Berg": ("m", "Berge"), "Buch": ("n", "Bücher"), "Nachbarin": ("f", "Nachbarinnen"),
    "Küche": ("f", "Küchen"), "Lampe": ("f", "Lampen"), "Dorf": ("n", "Dörfer"), "Wald": ("m", "Wälder"),
    "Schülerin": ("f", "Schülerinnen"), "Hafen": ("m", "Häfen"), "Uhr": ("f", "Uhren"), "Straße": ("f", "Straßen"),
    "Schule": ("f", "Schulen"), "Stein": ("m", "Steine"), "Zug": ("m", "Züge"), "Frage": ("f", "Fragen"),
    "Freundin": ("f", "Freundinnen"), "Haus": ("n", "Häuser"), "Antwort": ("f", "Antworten"),
    "Schiff": ("n", "Schiffe"),
    "Bäcker": ("m", "Bäcker"), "Wort": ("n", "Wörter"), "Bild": ("n", "Bilder"), "Hund": ("m", "Hunde"),
    "Katze": ("f", "Katzen"), "Baum": ("m", "Bäume"), "Blume": ("f", "Blumen"), "Zimmer": ("n", "Zimmer"),
}  # fmt: skip
_DE_ADJECTIVES = (
    "klein alt ruhig hell langsam warm fern schwer grün einfach berühmt schmal jung geduldig klug leer sanft golden "
    "einsam modern müde neugierig ehrlich früh seltsam tief schön groß neu"
).split()
#: singular present, plural present, singular past
_DE_VERBS = (
    ("findet", "finden", "fand"), ("baut", "bauen", "baute"), ("sucht", "suchen", "suchte"),
    ("sieht", "sehen", "sah"), ("liest", "lesen", "las"), ("schreibt", "schreiben", "schrieb"),
    ("vergisst", "vergessen", "vergaß"), ("braucht", "brauchen", "brauchte"), ("trägt", "tragen", "trug"),
    ("liebt", "lieben", "liebte"), ("öffnet", "öffnen", "öffnete"), ("malt", "malen", "malte"),
    ("hört", "hören", "hörte"), ("zählt", "zählen", "zählte"), ("erklärt", "erklären", "erklärte"),
    ("verliert", "verlieren", "verlor"), ("besucht", "besuchen", "besuchte"), ("zeichnet", "zeichnen", "zeichnete"),
    ("beschreibt", "beschreiben", "beschrieb"), ("kennt", "kennen", "kannte"),
)  # fmt: skip
_DE_INTRANSITIVE = (
    ("schläft", "schlafen", "schlief"), ("wartet", "warten", "wartete"), ("lacht", "lachen", "lachte"),
    ("arbeitet", "arbeiten", "arbeitete"), ("singt", "singen", "sang"), ("reist", "reisen", "reiste"),
    ("lächelt", "lächeln", "lächelte"), ("verschwindet", "verschwinden", "verschwand"),
    ("träumt", "träumen", "träumte"),
)  # fmt: skip
_DE_PLACES = ("in", "neben", "hinter", "über", "unter", "mit", "nach", "bei", "vor", "aus")
_DE_LINKS = ("weil", "während", "obwohl", "wenn", "bevor", "bis", "da", "sobald")
_DE_TIMES = ("am Abend", "jeden Morgen", "im Frühling", "gestern", "heute", "manchmal", "am Sonntag", "nach dem Regen")
_DE_NAMES = ("Anna", "Peter", "Maria", "Paul", "Klara", "David", "Emma", "Jonas", "Luise", "Martin")
_DEFINITE = {
    "nom": {"m": "der", "f": "die", "n": "das", "p": "die"},
    "acc": {"m": "den", "f": "die", "n": "das", "p": "die"},
    "dat": {"m": "dem", "f": "der", "n": "dem", "p": "den"},
}
_INDEFINITE = {
    "nom": {"m": "ein", "f": "eine", "n": "ein"},
    "acc": {"m": "einen", "f": "eine", "n": "ein"},
    "dat": {"m": "einem", "f": "einer", "n": "einem"},
}


def _de_ending(case: str, gender: str, definite: bool) -> str:
    """The adjective's ending: weak after der/die/das, mixed after ein/eine, strong without an article (plural)."""
    if definite:
        return "e" if gender != "p" and (case == "nom" or (case == "acc" and gender != "m")) else "en"
    if case == "dat":
        return "en"
    if gender == "p":
        return "e"
    return {"m": "er" if case == "nom" else "en", "f": "e", "n": "es"}[gender]


def _de_noun_phrase(draw: Random, case: str) -> tuple[str, bool]:
    """A noun phrase in a case, and whether it is plural."""
    if case != "dat" and draw.random() < 0.12:
        return draw.choice(_DE_NAMES), False
    noun = draw.choice(list(_DE_NOUNS))
    gender, plural = _DE_NOUNS[noun]
    definite, many = draw.random() < 0.6, draw.random() < 0.25
    if many:
        gender, noun = "p", plural
        if case == "dat" and noun[-1] not in "ns":
            noun += "n"
    words = [] if many and not definite else [(_DEFINITE if definite else _INDEFINITE)[case][gender]]
    if draw.random() < 0.45:
        words.append(draw.choice(_DE_ADJECTIVES).removesuffix("e") + _de_ending(case, gender, definite))
    return " ".join([*words, noun]), many


def _de_clause(draw: Random, order: str) -> str:
    """A clause with the verb second, last (subordinate) or first (after an adverbial)."""
    subject, many = _de_noun_phrase(draw, "nom")
    past = not many and draw.random() < 0.4
    form = 1 if many else 2 if past else 0
    rest = []
    if draw.random() < 0.7:
        verb = draw.choice(_DE_VERBS)[form]
        rest.append(_de_noun_phrase(draw, "acc")[0])
    else:
        verb = draw.choice(_DE_INTRANSITIVE)[form]
    if draw.random() < 0.4:
        rest.append(f"{draw.choice(_DE_PLACES)} {_de_noun_phrase(draw, 'dat')[0]}")
    parts = {"second": [subject, verb, *rest], "last": [subject, *rest, verb], "first": [verb, subject, *rest]}
    return " ".join(parts[order])


def german_sentence(draw: Random) -> str:
    """One German sentence."""
    kind = draw.random()
    if kind < 0.3:
        text = f"{_de_clause(draw, 'second')}, {draw.choice(_DE_LINKS)} {_de_clause(draw, 'last')}"
    elif kind < 0.45:
        text = f"{draw.choice(_DE_TIMES)} {_de_clause(draw, 'first')}"
    elif kind < 0.55:
        text = f"{_de_clause(draw, 'second')}, und {_de_clause(draw, 'second')}"
    elif kind < 0.62:
        text = _de_clause(draw, "first")
        return text[0].upper() + text[1:] + "?"
    else:
        text = _de_clause(draw, "second")
    return text[0].upper() + text[1:] + "."


# ----------------------------------------------------------------------------- sums
def sum_line(draw: Random) -> str:
    """One sum with its result, for example ``37 + 48 = 85``."""
    kind = draw.random()
    a, b = draw.randrange(100), draw.randrange(100)
    if kind < 0.45:
        return f"{a} + {b} = {a + b}"
    if kind < 0.75:
        a, b = max(a, b), min(a, b)
        return f"{a} - {b} = {a - b}"
    if kind < 0.9:
        a, b = draw.randrange(2, 13), draw.randrange(2, 13)
        return f"{a} * {b} = {a * b}"
    c = draw.randrange(100)
    return f"{a} + {b} + {c} = {a + b + c}"
