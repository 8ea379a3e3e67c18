"""Licences, chips that hold weights, the wall of sources: marks, counts and lengths are those of the data."""

from __future__ import annotations

import numpy as np
import pytest

from explainers import facts
from explainers.errors import ExplainError
from explainers.quantities import Quantity, computed
from explainers.references import resolve
from explainers.traces import NamedArray
from scenes.kit import ChipShelf, LicenceMatrix, SourceWall, licence_rights


def q(value: float, unit: str = "B") -> Quantity:
    return computed(value, unit, "made up for a test", name=f"made up {value}")


def test_rights_are_read_from_the_wording_of_the_facts():
    texts = {
        "interface": "",
        "V3": facts.text("timeline.licence_to_v3.licence")[0],
        "R1": facts.text("timeline.licence_mit.licence")[0],
        "Kimi": facts.text("models.kimi_k2.licence")[0],
        "Llama": facts.text("models.llama_8b.licence")[0],
    }
    rights = licence_rights(texts)
    assert rights.values[0].tolist() == [0, 0, 0, 0]
    assert rights.values[1, 1] == 0.5  # forbidden uses are listed
    assert rights.values[2].tolist() == [1, 1, 1, 1]
    assert rights.values[3, 2] == 0.5  # a duty by size
    assert (rights.values[4, 1:] == 0.5).all()
    with pytest.raises(ExplainError, match="not known"):
        licence_rights({"x": "a private agreement"})


def test_a_licence_matrix_draws_a_mark_for_each_right():
    rights = licence_rights({"interface": "", "MIT": "MIT"})
    matrix = LicenceMatrix(rights, roles=("muted", "latent"))
    assert [len(mark) for mark in matrix.marks["interface"]] == [1, 1, 1, 1]  # a ring alone
    assert [len(mark) for mark in matrix.marks["MIT"]] == [2, 2, 2, 2]  # a disc in a ring
    turned = matrix.rebind(NamedArray(1 - rights.values, rights.axes, labels=dict(rights.labels)))
    assert [len(mark) for mark in turned.marks["MIT"]] == [1, 1, 1, 1]
    with pytest.raises(ExplainError, match="0, 0.5"):
        LicenceMatrix(NamedArray(rights.values * 0.3, rights.axes, labels=dict(rights.labels)))


def test_a_shelf_holds_the_weights_to_scale():
    shelf = ChipShelf(q(250.0), q(100.0), name="chip", unit=0.01)
    assert shelf.count.value == 3
    assert [fill.width for fill in shelf.fills] == pytest.approx([1.0, 1.0, 0.5])
    assert sum(fill.width for fill in ChipShelf(q(250.0), q(80.0), unit=0.01, name="x").fills) == pytest.approx(2.5)
    v3 = ChipShelf(resolve("v3.weight_bytes_fp8"), resolve("fact.hardware.h100.memory"), name="H100")
    assert v3.count.value == 9
    with pytest.raises(ExplainError, match="one unit"):
        ChipShelf(q(250.0), q(80.0, "FLOP"), name="x")
    with pytest.raises(ExplainError, match="too many"):
        ChipShelf(q(250.0), q(1.0), name="x")


def test_pouring_ends_full():
    shelf = ChipShelf(q(250.0), q(100.0), name="chip", unit=0.01)
    pour = shelf.pour()
    assert shelf.fills[0].width < 0.01
    pour.begin()
    pour.interpolate(1.0)
    pour.finish()
    assert [fill.width for fill in shelf.fills] == pytest.approx([1.0, 1.0, 0.5], abs=1e-3)


def test_a_wall_has_a_dot_an_entry():
    labels = {"file": ("a", "b"), "confidence": ("primary", "secondary")}
    wall = SourceWall(NamedArray(np.array([[7, 2], [0, 4]]), ("file", "confidence"), labels=labels))
    assert (len(wall.full), len(wall.rings)) == (7, 6)
    assert all(dot.get_fill_opacity() == 1 for dot in wall.full)
    assert all(dot.get_fill_opacity() == 0 for dot in wall.rings)
    assert all(dot.get_fill_opacity() == 0 for dot in wall.hollow().full)
    with pytest.raises(ExplainError, match="two confidences"):
        SourceWall(NamedArray(np.array([[7], [1]]), ("file", "confidence"), labels={"file": ("a", "b")}))


def test_other_data_give_another_picture():
    rights = licence_rights({"interface": "", "MIT": "MIT"})
    labels = {"file": ("a", "b"), "confidence": ("primary", "secondary")}
    counts = NamedArray(np.array([[7, 2], [0, 4]]), ("file", "confidence"), labels=labels)
    for drawn in (LicenceMatrix(rights), ChipShelf(q(250.0), q(100.0), name="x", unit=0.01), SourceWall(counts)):
        other = drawn.perturbed()
        places = [[part.get_center().tolist() for part in each.get_family()] for each in (drawn, other)]
        assert places[0] != places[1], type(drawn).__name__
