"""Lectures 2 and 3 drawn from released models: at V3's widths, and by the rules of gates that are not V3's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scenes import script
from scenes.audit.checking import _LAYOUT
from scenes.audit.walking import audit
from scenes.registry import Course

pytest.importorskip("transformers", minversion="5.20", reason="it makes the checkpoints")
pytest.importorskip("tokenizers", reason="it makes the tokenizers")
from tests.explainers import released_models as made

#: V3's widths where a picture shows them: heads, latent, experts and groups. What is inside an expert is small.
WIDE: dict[str, Any] = {
    **made.CONFIGS["v3"], "hidden_size": 1024, "num_attention_heads": 128, "num_key_value_heads": 128,
    "kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128, "n_routed_experts": 256,
    "n_group": 8, "topk_group": 4, "num_experts_per_tok": 8, "moe_intermediate_size": 16, "intermediate_size": 144,
    "num_hidden_layers": 2,
}  # fmt: skip
TENSORS_2 = ("AllAtWork", "OneSentence", "ChoosingAndWeighing", "AllMustBeThere")
TENSORS_3 = ("WhyAModelRemembers", "DownKeepUp", "AnotherOrder", "AShortNote")


def checkpoint(family: str, top: Path, **config: Any) -> Path:
    folder = top / f"DeepSeek-{family}"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(made.CONFIGS, family, {**made.CONFIGS[family], **config})
        return made.save_tokenizer(made.save_checkpoint(made.reference(family), family, folder))


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoint("v3", tmp_path_factory.mktemp("wide"), **WIDE)


def findings(scene: str, source: Path, patch: pytest.MonkeyPatch) -> list[str]:
    """What a check finds wrong with the layout, or that the scene fails."""
    patch.setenv("EXPLAIN_CONTEXT", json.dumps({"source": f"checkpoint:{source}"}))
    lecture = Course.default().lecture(2 if scene in TENSORS_2 else 3)
    found = audit(Course.default().entry(lecture, scene)).findings
    return [f"{each.code}: {each.object}, {each.measure}" for each in found if each.code in _LAYOUT]


@pytest.fixture(autouse=True)
def own_words() -> Iterator[None]:
    """A script that was read keeps the numbers of its first model, as is right for one call of the command line."""
    script._load.cache_clear()
    yield
    script._load.cache_clear()


def test_at_v3s_widths(wide: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not findings("DownKeepUp", wide, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("scene", [*TENSORS_2, *TENSORS_3])
def test_all_at_v3s_widths(scene: str, wide: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not findings(scene, wide, monkeypatch)


@pytest.mark.parametrize("family", ["v2_lite", "v4"])
def test_a_gate_of_another_rule(family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without groups and bias (V2-Lite), or with a table of tokens before the gates (V4): picture and words."""
    folder = checkpoint(family, tmp_path)
    assert not findings("ChoosingAndWeighing", folder, monkeypatch)
    first, second, third = (step.narration for step in Course.default().lecture(2).section("ChoosingAndWeighing").steps)
    assert "Exactly as in V3" not in first and "between nothing and one" not in first
    assert "Here all are in one." in second and "The best two" not in second
    biased = family == "v4"
    assert ("There is no bias" in first) != biased and ("Take the bias away" in third) == biased
    assert ("divided by the sum" in third) == biased
