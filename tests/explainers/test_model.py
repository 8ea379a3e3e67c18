"""The small model: the same numbers as transformers, the same with and without a cache, the same after a file."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from explainers.errors import ExplainError
from explainers.layers import ModelConfig, untapped
from explainers.model import Model, load_shipped, model_folder
from explainers.model_config import with_attention

TINY = ModelConfig(
    vocab_size=64, hidden_size=32, num_hidden_layers=3, num_attention_heads=4, head_dim=8, kv_lora_rank=12,
    qk_nope_head_dim=8, qk_rope_head_dim=4, v_head_dim=8, intermediate_size=48, n_routed_experts=8,
    num_experts_per_tok=2, n_group=4, topk_group=2, moe_intermediate_size=16, max_position_embeddings=64,
)  # fmt: skip
KINDS = [
    TINY,
    replace(TINY, attention="mha", n_routed_experts=0),
    replace(TINY, attention="gqa", num_key_value_heads=2),
    replace(TINY, attention="mqa"),
    with_attention(replace(TINY, index_topk=4, index_head_dim=8), "dsa"),
]


def ids(rows: int = 2, length: int = 10, vocabulary: int = 64) -> torch.Tensor:
    return torch.randint(vocabulary, (rows, length), generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def with_biases(model: Model) -> Model:
    generator = torch.Generator().manual_seed(2)
    for _, moe in model.moes():
        moe.gate.e_score_correction_bias.normal_(0, 0.3, generator=generator)
    return model


def in_transformers(folder: Path) -> torch.nn.Module:
    transformers = pytest.importorskip("transformers", minversion="5.12")
    loaded = transformers.DeepseekV3ForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager"
    )
    return loaded.eval()


def test_a_saved_model_is_transformers_deepseek_v3(tmp_path: Path) -> None:
    model = with_biases(Model(TINY, seed=3)).eval()
    reference = in_transformers(model.save(tmp_path))
    with torch.no_grad():
        assert (model(ids()).logits - reference(ids()).logits).abs().max() < 1e-5


def test_a_saved_sparse_model_is_transformers_deepseek_v32(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", minversion="5.20")
    cfg = with_attention(replace(TINY, index_topk=6, index_head_dim=8, index_n_heads=12), "dsa")
    model = with_biases(Model(cfg, seed=3)).eval()
    reference = transformers.DeepseekV32ForCausalLM.from_pretrained(
        model.save(tmp_path), dtype=torch.float32, attn_implementation="eager"
    )
    with torch.no_grad():
        assert (model(ids(length=20)).logits - reference.eval()(ids(length=20)).logits).abs().max() < 1e-5


def test_compressed_attention_token_by_token() -> None:
    """V4's layers: the same with a cache as without, whatever stands in the window or has become an entry."""
    cfg = with_attention(replace(TINY, index_topk=2, index_head_dim=8, sliding_window=3, hca_ratio=5), "csa")
    model = with_biases(Model(cfg)).double().eval()
    with torch.no_grad():
        whole = model(ids(1, 24)).logits
        caches, parts = model.start_caches(), []
        for piece in ids(1, 24).split([7, *[1] * 17], dim=1):
            logits, caches = model.decode(piece, caches)
            parts.append(logits)
    assert (torch.cat(parts, dim=1) - whole).abs().max() < 1e-10


def test_the_shipped_model_is_transformers_deepseek_v3() -> None:
    model, tokenizer = load_shipped("small")
    reference = in_transformers(model_folder("small"))
    text = torch.tensor([tokenizer.encode("The river remembers what the city forgot, and 12 + 7 = 19.")])
    with torch.no_grad():
        ours, theirs = model(text).logits, reference(text).logits
    assert (ours - theirs).abs().max() < 1e-4
    assert (ours.argmax(-1) == theirs.argmax(-1)).all()


@pytest.mark.parametrize("cfg", KINDS, ids=lambda cfg: cfg.attention)
def test_token_by_token_is_the_same_as_all_at_once(cfg: ModelConfig) -> None:
    model = with_biases(Model(cfg)).double().eval()
    with torch.no_grad():
        whole = model(ids(1)).logits
        caches, parts = model.start_caches(), []
        for token in ids(1).split(1, dim=1):
            logits, caches = model.decode(token, caches)
            parts.append(logits)
    assert (torch.cat(parts, dim=1) - whole).abs().max() < 1e-10
    held = sum(cache.nbytes for cache in caches)
    assert held == 10 * cfg.cached_values * cfg.num_hidden_layers * 8


@pytest.mark.parametrize("cfg", KINDS, ids=lambda cfg: cfg.attention)
def test_looking_does_not_change_the_logits(cfg: ModelConfig) -> None:
    model = Model(cfg).double().eval()
    with torch.no_grad():
        traced = model(ids(), trace=True)
        assert (traced.logits - model(ids()).logits).abs().max() < 1e-10
    assert len(traced.layers) == cfg.num_hidden_layers
    probabilities = traced.layers[0]["attention"]
    assert torch.allclose(probabilities.sum(-1), torch.ones_like(probabilities[..., 0]))
    assert probabilities.triu(1).abs().max() == 0


def test_a_tap_replaces_what_it_sees() -> None:
    model = Model(KINDS[1]).eval()
    silence = {layer: (lambda name, x: x * 0 if name == "attention_out" else x) for layer in range(3)}
    with torch.no_grad():
        quiet = model(ids(), trace=True, taps=silence)
    assert quiet.layers[1]["attention_out"].abs().max() == 0
    assert (quiet.logits - model(ids()).logits).abs().max() > 1e-4
    assert untapped("x", quiet.logits) is quiet.logits


@pytest.mark.parametrize("cfg", [*KINDS, replace(TINY, num_nextn_predict_layers=1)], ids=str)
def test_file_round_trip(cfg: ModelConfig, tmp_path: Path) -> None:
    model = with_biases(Model(cfg, seed=5))
    again = Model.load(model.save(tmp_path))
    assert again.cfg == replace(cfg, num_key_value_heads=again.cfg.num_key_value_heads, head_dim=again.cfg.head_dim)
    for name, values in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], values), name


def test_two_tokens_ahead_sees_only_what_it_may() -> None:
    model = Model(replace(TINY, num_nextn_predict_layers=1)).eval()
    text = ids(1, 8)
    changed = text.clone()
    changed[0, -1] = (changed[0, -1] + 1) % 64
    with torch.no_grad():
        first, second = model(text, mtp=True).mtp_logits, model(changed, mtp=True).mtp_logits
    assert first is not None and second is not None
    assert first.shape == (1, 7, 64)
    # position i reads token i + 1, never a later one; how many tokens an expert got may change the order of its sums
    torch.testing.assert_close(first[:, :-1], second[:, :-1], rtol=0, atol=1e-6)
    assert (first[:, -1] - second[:, -1]).abs().max() > 1e-3


def test_seeds() -> None:
    one, same, other = (Model(TINY, seed=seed).lm_head.weight for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_sizes_of_the_shipped_model() -> None:
    model, _ = load_shipped("small")
    total, active = model.parameter_counts()
    assert 1.8e6 < total < 1.95e6
    assert 0.9e6 < active < 1.05e6
    for folder in ("small", "small_mha"):
        assert sum(file.stat().st_size for file in model_folder(folder).iterdir()) < 11e6


def test_generation_is_repeatable() -> None:
    model = Model(TINY).eval()
    assert model.generate([1, 2], 6, seed=4) == model.generate([1, 2], 6, seed=4)
    greedy = model.generate([1, 2], 6, temperature=0)
    assert greedy[:2] == [1, 2]
    assert len(greedy) == 8


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"attention": "mlaa"}, "did you mean mla"),
        ({"num_key_value_heads": 3, "attention": "gqa"}, "do not divide"),
        ({"num_experts_per_tok": 99}, "top_k 99 is more than"),
        ({"n_group": 3}, "do not divide into 3 groups"),
        ({"kv_lora_rank": 0}, "kv_lora_rank is 0"),
    ],
)
def test_sizes_that_cannot_be_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ExplainError, match=message):
        replace(TINY, **change)


def test_bad_input_is_refused(tmp_path: Path) -> None:
    model = Model(TINY)
    with pytest.raises(ExplainError, match="at least one token"):
        model(torch.zeros(1, 0, dtype=torch.long))
    with pytest.raises(ExplainError, match="more than the model's 64"):
        model(torch.zeros(1, 65, dtype=torch.long))
    with pytest.raises(ExplainError, match="cannot read the model"):
        Model.load(tmp_path)
    model.save(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(ExplainError, match="cannot read the model"):
        Model.load(tmp_path)
    with pytest.raises(ExplainError, match="no MTP layer"):
        model(ids(), mtp=True)
