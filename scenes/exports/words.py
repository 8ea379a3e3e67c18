"""The few words that exports add of their own, in the language of the lecture where it is here, else in English."""

from __future__ import annotations

from collections.abc import Mapping

_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "lecture": "Lecture {number}",
        "length": "{time}, {scenes} scenes, {steps} steps",
        "contents": "Contents",
        "numbers": "Numbers and where they come from",
        "sources": "Sources",
        "used_once": "step {steps}",
        "used": "steps {steps}",
        "runs": "Computed with this project’s own runs",
        "next": "Next",
        "end": "The end",
    },
    "de": {
        "lecture": "Vorlesung {number}",
        "length": "{time}, {scenes} Szenen, {steps} Schritte",
        "contents": "Inhalt",
        "numbers": "Zahlen und woher sie kommen",
        "sources": "Quellen",
        "used_once": "Schritt {steps}",
        "used": "Schritte {steps}",
        "runs": "Gerechnet in Läufen dieses Projekts",
        "next": "Danach",
        "end": "Ende",
    },
    "fr": {
        "lecture": "Leçon {number}",
        "length": "{time}, {scenes} scènes, {steps} étapes",
        "contents": "Sommaire",
        "numbers": "Les nombres et leur origine",
        "sources": "Sources",
        "used_once": "étape {steps}",
        "used": "étapes {steps}",
        "runs": "Calculé par les programmes de ce projet",
        "next": "Ensuite",
        "end": "Fin",
    },
    "es": {
        "lecture": "Lección {number}",
        "length": "{time}, {scenes} escenas, {steps} pasos",
        "contents": "Contenido",
        "numbers": "Los números y su origen",
        "sources": "Fuentes",
        "used_once": "paso {steps}",
        "used": "pasos {steps}",
        "runs": "Calculado con los programas de este proyecto",
        "next": "Después",
        "end": "Fin",
    },
    "zh": {
        "lecture": "第 {number} 讲",
        "length": "{time}，{scenes} 个场景，{steps} 步",
        "contents": "目录",
        "numbers": "数字及其来源",
        "sources": "来源",
        "used_once": "第 {steps} 步",
        "used": "第 {steps} 步",
        "runs": "由本项目自己的程序计算",
        "next": "接下来",
        "end": "结束",
    },
}


def words(lang: str) -> Mapping[str, str]:
    """The words for a language (``"zh"``, also ``"zh-TW"``)."""
    return _WORDS.get(lang.lower().replace("_", "-").partition("-")[0], _WORDS["en"])
