"""From a lecturer's file to lectures: the chosen scenes in the chosen order, under the lecturer's own words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from explainers.errors import one_of
from scenes.own_course import OwnCourse, OwnLecture
from scenes.script import Lecture, Section

#: Whether a section is a chapter card or an end card.
IsCard = Callable[[Section], bool]


def compose(own: OwnCourse, home: Sequence[Lecture], is_card: IsCard) -> tuple[Lecture, ...]:
    """The lectures of ``own``, made of the sections of the scripts in ``home``."""
    if not own.lectures:
        return tuple(_without_cards(own, lecture, is_card) for lecture in home)
    return tuple(_lecture(own, chosen, home, is_card) for chosen in own.lectures)


def _lecture(own: OwnCourse, chosen: OwnLecture, home: Sequence[Lecture], is_card: IsCard) -> Lecture:
    by_number = {lecture.number: lecture for lecture in home}
    if chosen.lecture and chosen.lecture not in by_number:
        raise own.error("lectures.lecture", one_of("lecture", chosen.lecture, _numbers(home)))
    sections = tuple(_section(own, chosen, name, by_number) for name in chosen.scenes)
    first = by_number[chosen.lecture or sections[0].lecture]
    names = [section.name for section in sections]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise own.error("lectures.scenes", f"{twice} stands twice in lecture {chosen.number}")
    mixed = replace(first, number=chosen.number, sections=sections or first.sections)
    front = dict(chosen.front)
    title, question = front.pop("title", first.title), front.pop("question", first.question)
    slug = f"{chosen.number}_{first.slug.partition('_')[2] or first.slug}" if not chosen.title else _slug(chosen)
    about = {name: value for name, value in {**first.about, **front}.items() if value}
    return _without_cards(own, replace(mixed, title=title, question=question, slug=slug, about=about), is_card)


def _section(own: OwnCourse, chosen: OwnLecture, name: str, home: dict[int, Lecture]) -> Section:
    """``TheCacheGrows`` of the lecture itself, or of any; ``2/OneSentence`` of lecture 2."""
    number, slash, scene = name.rpartition("/")
    where = [home[chosen.lecture]] if chosen.lecture and not slash else list(home.values())
    if slash:
        where = [lecture for lecture in home.values() if str(lecture.number) == number]
    found = [section for lecture in where for section in lecture.sections if section.name == scene]
    if not found and chosen.lecture and not slash:  # of another lecture after all?
        found = [section for lecture in home.values() for section in lecture.sections if section.name == scene]
    if len(found) == 1:
        return found[0]
    if found:
        numbers = ", ".join(f'"{section.lecture}/{scene}"' for section in found)
        raise own.error("lectures.scenes", f"{scene} is in several lectures; write {numbers}")
    if slash and not where:
        raise own.error("lectures.scenes", one_of("lecture", number, _numbers(home.values())))
    known = [section.name for lecture in where for section in lecture.sections]
    raise own.error("lectures.scenes", one_of("scene", scene, known))


def _without_cards(own: OwnCourse, lecture: Lecture, is_card: IsCard) -> Lecture:
    if own.cards:
        return lecture
    kept = tuple(section for section in lecture.sections if not is_card(section))
    if not kept:
        raise own.error("cards", f"lecture {lecture.number} has nothing but cards; add scenes to it")
    return replace(lecture, sections=kept)


def _numbers(lectures: Iterable[Lecture]) -> list[str]:
    return [str(lecture.number) for lecture in lectures]


def _slug(chosen: OwnLecture) -> str:
    """``2_what_it_costs``: the number and the first words of the title, as folders are named."""
    words = "".join(letter if letter.isalnum() else " " for letter in chosen.title.lower()).split()
    return "_".join([str(chosen.number), *words[:4]])
