"""Parameters, cache and FLOPs: against published totals, and against somebody else's code."""

import pytest

from explainers import caching, configs, counting, facts, sizes
from explainers.quantities import computed

#: Published active parameters that count something else than the weights that multiply, and what.
ACTIVE_EXCEPTIONS = {
    "moe16b": "the paper's 2.8 billion has the input embedding in it",
    "kimi_k2": "the paper's 32.6 billion has the input embedding in it",
    "v2_lite": "2.45 billion, cut to 2.4 in the model card",
    "v4_flash": "13.27 billion, rounded to 13",
}


# ---------------------------------------------------------------------- parameters
@pytest.mark.parametrize("key", configs.MODELS)
def test_total_parameters_are_the_published_ones(key):
    total, published = configs.quantity(f"{key}.total_params"), configs.quantity(f"{key}.total_published")
    assert total.value == pytest.approx(published.value, rel=0.02)


@pytest.mark.parametrize("key", [k for k in configs.MODELS if "active_published" in configs.config(k).sizes])
def test_active_parameters_are_the_published_ones(key):
    published = configs.quantity(f"{key}.active_published").value
    active = configs.quantity(f"{key}.active_params").value
    if key not in ACTIVE_EXCEPTIONS:
        assert active == pytest.approx(published, rel=0.02)
        return
    assert active != pytest.approx(published, rel=0.02), f"{key} is no exception any more"
    with_table = configs.quantity(f"{key}.active_params_with_embedding").value
    if "embedding" in ACTIVE_EXCEPTIONS[key]:
        assert with_table == pytest.approx(published, rel=0.02)
    else:  # within the rounding of the printed figure
        assert active == pytest.approx(published, rel=0.025)


def transformers_model(name: str, **settings):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    config = getattr(transformers, f"{name}Config")(**settings)
    with torch.device("meta"):
        return getattr(transformers, f"{name}ForCausalLM")(config)


def parameters(model) -> int:
    return sum(p.numel() for p in model.parameters())


def common(key: str) -> dict[str, object]:
    """The settings that every transformers config shares."""
    config = configs.config(key)
    return {
        "vocab_size": config.vocab,
        "hidden_size": config.hidden,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.attention.heads,
        "tie_word_embeddings": False,
    }


def deepseek(key: str) -> dict[str, object]:
    config = configs.config(key)
    attention, ffn = config.attention, config.ffn
    return common(key) | {
        "num_key_value_heads": attention.heads,
        "q_lora_rank": attention.q_lora_rank or None,
        "kv_lora_rank": attention.kv_lora_rank,
        "qk_rope_head_dim": attention.qk_rope_head_dim,
        "qk_nope_head_dim": attention.qk_nope_head_dim,
        "v_head_dim": attention.v_head_dim,
        "intermediate_size": ffn.dense_intermediate,
        "moe_intermediate_size": ffn.moe_intermediate,
        "n_routed_experts": ffn.routed_experts,
        "n_shared_experts": ffn.shared_experts,
        "num_experts_per_tok": ffn.experts_per_token,
        "first_k_dense_replace": ffn.dense_layers,
    }


def grouped(key: str) -> dict[str, object]:
    attention = configs.config(key).attention
    return common(key) | {"num_key_value_heads": attention.kv_heads, "head_dim": attention.head_dim}


def reference_model(key: str):
    config = configs.config(key)
    ffn = config.ffn
    if key in ("v3", "kimi_k2"):
        return transformers_model("DeepseekV3", **deepseek(key))
    if key in ("v2", "v2_lite"):
        return transformers_model("DeepseekV2", **deepseek(key))
    if key == "v3_2":
        indexer = {n: config.size(f"index_{n.removeprefix('index_')}").value for n in ("index_head_dim", "index_topk")}
        return transformers_model("DeepseekV32", **deepseek(key), index_n_heads=config.attention.index_heads, **indexer)
    if key in ("ds67b", "llama_8b", "llama_70b", "llama_405b"):
        return transformers_model("Llama", **grouped(key), intermediate_size=ffn.dense_intermediate)
    if key == "qwen_72b":
        return transformers_model("Qwen2", **grouped(key), intermediate_size=ffn.dense_intermediate)
    experts = {"num_local_experts": ffn.routed_experts, "num_experts_per_tok": ffn.experts_per_token}
    if key.startswith("mixtral"):
        return transformers_model("Mixtral", **grouped(key), **experts, intermediate_size=ffn.moe_intermediate)
    if key == "gpt_oss_120b":
        return transformers_model("GptOss", **grouped(key), **experts, intermediate_size=ffn.moe_intermediate)
    assert key == "qwen3_235b"
    experts = {"num_experts": ffn.routed_experts, "num_experts_per_tok": ffn.experts_per_token}
    return transformers_model("Qwen3Moe", **grouped(key), **experts, moe_intermediate_size=ffn.moe_intermediate)


@pytest.mark.parametrize(
    "key",
    [
        "v3", "kimi_k2", "v2", "v2_lite", "v3_2", "ds67b", "llama_8b", "llama_70b", "llama_405b", "qwen_72b",
        "mixtral_8x7b", "mixtral_8x22b", "qwen3_235b", "gpt_oss_120b",
    ],
)  # fmt: skip
def test_parameters_are_exactly_those_that_transformers_builds(key):
    """The gate's selection bias is a buffer there and counted here; nothing else differs, not by one."""
    config = configs.config(key)
    model = reference_model(key)
    gate_bias = config.moe_layers * config.ffn.routed_experts if config.ffn.gate_bias and key != "gpt_oss_120b" else 0
    assert configs.quantity(f"{key}.total_params").value == parameters(model) + gate_bias


@pytest.mark.parametrize("key", ["v4_flash", "v4_pro"])
def test_parameters_of_v4_are_exactly_those_that_transformers_builds(key):
    config = configs.config(key)
    kind, ffn = config.attention, config.ffn
    sliding = ["sliding_attention"] * kind.sliding_layers
    compressed = ["compressed_sparse_attention"] * kind.csa_layers + ["heavily_compressed_attention"] * kind.hca_layers
    model = transformers_model(
        "DeepseekV4",
        **common(key),
        layer_types=sliding + compressed,
        head_dim=kind.head_dim,
        q_lora_rank=kind.q_lora_rank,
        o_groups=kind.o_groups,
        o_lora_rank=kind.o_lora_rank,
        n_routed_experts=ffn.routed_experts,
        n_shared_experts=ffn.shared_experts,
        num_experts_per_tok=ffn.experts_per_token,
        moe_intermediate_size=ffn.moe_intermediate,
        index_n_heads=kind.index_heads,
        index_head_dim=kind.index_head_dim,
    )
    gate_bias = (config.layers - ffn.hash_routed_layers) * ffn.routed_experts  # a buffer there
    assert configs.quantity(f"{key}.total_params").value == parameters(model) + gate_bias


def test_v3_in_parts():
    assert configs.quantity("v3.expert_params").value == 3 * 7168 * 2048
    assert configs.quantity("v3.experts_total").value == 58 * 256
    assert configs.quantity("v3.moe_layers").value == 58
    assert configs.quantity("v3.attention_params").value == pytest.approx(11.41e9, rel=1e-3)
    assert configs.quantity("v3.mtp_params").value == pytest.approx(
        configs.quantity("v3.mtp_unique_published").value, rel=0.02
    )
    assert configs.quantity("v3_2.indexer_params").value == pytest.approx(0.85e9, rel=0.01)
    assert configs.quantity("v3.expert_teams").value == 409_663_695_276_000  # 256 choose 8
    assert configs.quantity("mixtral_8x7b.expert_teams").value == 28
    assert configs.quantity("v3.active_share").text("percent 2") == "5.5 %"
    parts = counting.parts(configs.config("v3"))
    assert sum(p.total().value for p in parts) == configs.quantity("v3.total_params").value


def test_teams_within_groups_are_those_that_one_can_list():
    from itertools import combinations

    quantities = {
        name: computed(value, "", "made up")
        for name, value in (
            ("routed_experts", 12), ("experts_per_token", 4), ("expert_groups", 4), ("expert_groups_kept", 2),
        )
    }  # fmt: skip
    made_up = sizes.ModelConfig(
        "small", "Small", 2, 8, 8, sizes.GroupedAttention(1, 1, 8), sizes.FeedForward(1, 8, 12, 0, 4, 8), 1, quantities
    )
    listed = [team for team in combinations(range(12), 4) if len({expert // 3 for expert in team}) <= 2]
    assert counting.expert_teams_in_groups(made_up).value == len(listed)
    assert configs.quantity("v3.expert_teams_in_groups").value < configs.quantity("v3.expert_teams").value


# ---------------------------------------------------------------------- cache
@pytest.mark.parametrize("key", ["v3", "llama_405b", "qwen_72b", "v4_1_flash"])
def test_cache_bytes_are_the_published_ones(key):
    assert configs.quantity(f"{key}.kv_bytes_per_token").value == configs.quantity(f"{key}.kv_bytes_published").value


def test_six_generations_of_cache():
    served = [round(configs.quantity(f"{key}.kv_bytes_per_token").value) for key in configs.GENERATIONS]
    assert served == [389_120, 69_120, 70_272, 48_068, 5_031, 3_514, 890]
    plain = [configs.quantity(f"{key}.kv_bytes_per_token_bf16").value for key in configs.GENERATIONS]
    assert plain == [389_120, 69_120, 70_272, 85_888, 9_848, 6_880, 3_200]
    for key in configs.GENERATIONS:
        whole, architecture, precision = (
            configs.quantity(f"{key}.{n}").value for n in ("kv_vs_67b", "kv_vs_67b_bf16", "kv_precision_gain")
        )
        assert whole == pytest.approx(architecture * precision)


def test_published_ratios_of_the_cache():
    for key, low, high in (("v4_pro", 9.5, 9.6), ("v4_flash", 13.65, 13.75)):
        assert low < configs.quantity(f"{key}.kv_vs_v3_2").value < high
    assert configs.quantity("v4_1_flash.kv_vs_67b").value == pytest.approx(437, abs=0.5)
    assert configs.quantity("v2.kv_cut_deployed_vs_67b").text("percent .1") == "93.3 %"
    assert configs.quantity("v2.kv_cut_vs_67b").text("percent .1") == "82.2 %"
    share = facts.quantity("inference.mla_ablation.large.mla").value  # V2's own table, its MHA has 860.2K values
    assert configs.quantity("v2.kv_values_per_token").value == pytest.approx(share, rel=0.01)


def test_v3_with_other_attentions():
    values = {kind: configs.quantity(f"v3.kv_values_per_layer_{kind}").value for kind in caching.ATTENTIONS[1:]}
    assert values == {"mha": 32_768, "gqa8": 2_048, "mqa": 256, "mla": 576, "uncompressed": 40_960}
    assert configs.quantity("v3.mla_vs_mha").value == pytest.approx(56.9, abs=0.05)
    assert configs.quantity("v3.mla_vs_uncompressed").value == pytest.approx(71.1, abs=0.05)
    assert configs.quantity("v3.mla_as_gqa_groups").value == 2.25  # V2 report, section 2.1.4
    assert configs.quantity("v3_2.mla_vs_mha").value == configs.quantity("v3.mla_vs_mha").value  # without the indexer


def test_bytes_are_those_of_tensors_really_held():
    """One token's latent and rotated key as bf16 tensors, layer by layer; keys and values for Llama."""
    torch = pytest.importorskip("torch")
    v3 = configs.config("v3").attention
    held = [torch.empty(v3.kv_lora_rank, dtype=torch.bfloat16), torch.empty(v3.qk_rope_head_dim, dtype=torch.bfloat16)]
    assert sum(t.nbytes for t in held) * configs.config("v3").layers == configs.quantity("v3.kv_bytes_per_token").value
    llama = configs.config("llama_405b").attention
    pair = torch.empty(2, llama.kv_heads, llama.head_dim, dtype=torch.bfloat16)
    assert pair.nbytes * configs.config("llama_405b").layers == configs.quantity("llama_405b.kv_bytes_per_token").value


def test_cache_of_a_context():
    assert configs.quantity("v3.kv_bytes_128k").value == 70_272 * 131_072
    assert configs.quantity("v3.kv_bytes_mha_128k").value == 61 * 32_768 * 2 * 131_072
    assert configs.cache_bytes("v3", "own", 1000).value == 70_272_000
    assert configs.cache_bytes("v3", "own", 0).value == 0
    assert configs.cache_bytes("gpt_oss_120b", "own", 128).value == 73_728 * 128  # no window is full yet
    assert configs.cache_bytes("gpt_oss_120b", "own", 1128).value == 73_728 * 128 + 36_864 * 1000
    per_token = configs.quantity("v4_pro.kv_bytes_per_token").value
    window = 61 * 128 * 584
    assert configs.quantity("v4_pro.kv_bytes_1m").value == per_token * 1_048_576 + window
    assert configs.cache_bytes("v4_pro", "own", 3).value == 61 * 3 * 584  # no block is whole yet


# ---------------------------------------------------------------------- FLOPs
def flops(function) -> int:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        function()
    return counter.get_total_flops()


def test_attention_flops_are_those_that_torch_counts():
    """Scores and weighted sum of one query, on the meta device, at V3's and Llama's real sizes."""
    torch = pytest.importorskip("torch")
    length, keys = 4096, configs.tokens("4k")
    v3, llama = configs.config("v3"), configs.config("llama_405b")
    kind = v3.attention

    def run(shapes):
        query, key, value = (torch.empty(shape, device="meta") for shape in shapes)
        scores = query @ key.transpose(-1, -2)
        return scores @ value

    wide = kind.qk_nope_head_dim + kind.qk_rope_head_dim
    h = kind.heads
    counted = flops(lambda: run(((h, 1, wide), (h, length, wide), (h, length, kind.v_head_dim))))
    assert counting.attention_flops(v3, keys).value == v3.layers * counted
    latent = kind.kv_lora_rank + kind.qk_rope_head_dim
    counted = flops(lambda: run(((1, h, latent), (1, length, latent), (1, length, kind.kv_lora_rank))))
    assert counting.attention_flops(v3, keys, absorbed=True).value == v3.layers * counted
    g = llama.attention
    counted = flops(
        lambda: run(((g.heads, 1, g.head_dim), (g.heads, length, g.head_dim), (g.heads, length, g.head_dim)))
    )
    assert counting.attention_flops(llama, keys).value == llama.layers * counted


def small(attention, ffn, **numbers) -> sizes.ModelConfig:
    """A made-up model whose sizes are Quantities like those of a real one."""
    quantities = {name: computed(value, "", "made up", key=f"small.{name}") for name, value in numbers.items()}
    return sizes.ModelConfig(
        "small", "Small", numbers["layers"], numbers["hidden"], numbers["vocab"], attention, ffn, 1, quantities
    )


def norms(model) -> int:
    return sum(p.numel() for name, p in model.named_parameters() if "norm" in name)


def test_forward_flops_are_those_that_torch_counts():
    """Whole small models, one token: ours counts a norm's weight as a multiply-add, torch does not."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    token = torch.zeros(1, 1, dtype=torch.long)
    one = computed(1, "token", "the token itself")

    numbers = {"layers": 3, "hidden": 64, "vocab": 128, "heads": 4, "kv_heads": 2, "head_dim": 16}
    settings = {"num_hidden_layers": 3, "hidden_size": 64, "vocab_size": 128, "num_attention_heads": 4}
    settings |= {"tie_word_embeddings": False, "attn_implementation": "eager"}
    grouped_ = {"num_key_value_heads": 2, "head_dim": 16, "intermediate_size": 96}
    llama = transformers.LlamaForCausalLM(transformers.LlamaConfig(**settings, **grouped_))
    ours = small(sizes.GroupedAttention(4, 2, 16), sizes.FeedForward(3, 96), **numbers, dense_intermediate=96)
    counted = flops(lambda: llama(token, use_cache=False))
    assert counting.forward_flops(ours, one).value == counted + 2 * norms(llama)

    latent = {"q_lora_rank": 24, "kv_lora_rank": 32, "qk_nope_head_dim": 16, "qk_rope_head_dim": 8, "v_head_dim": 20}
    experts = {"moe_intermediate_size": 48, "n_routed_experts": 8, "n_shared_experts": 1, "num_experts_per_tok": 2}
    experts |= {"first_k_dense_replace": 1, "intermediate_size": 96, "n_group": 2, "topk_group": 1}
    config = transformers.DeepseekV3Config(
        **settings, **latent, **experts, num_key_value_heads=4, experts_implementation="eager"
    )
    deepseek_ = transformers.DeepseekV3ForCausalLM(config)
    ours = small(
        sizes.LatentAttention(4, *latent.values()),
        sizes.FeedForward(1, 96, 8, 1, 2, 48),
        **(numbers | latent),
        dense_intermediate=96, moe_intermediate=48, routed_experts=8,
    )  # fmt: skip
    counted = flops(lambda: deepseek_(token, use_cache=False))
    assert counting.forward_flops(ours, one).value == counted + 2 * norms(deepseek_)


def test_training_flops_are_the_published_ones():
    """ISCA 2025, Table 2. Qwen's printed 394 is below six times its parameters: named, not matched."""
    for key in ("v2", "v3"):
        published = facts.quantity(f"training.flops_per_token.{key}.flops").value
        assert configs.quantity(f"{key}.train_flops_per_token_4k").value == pytest.approx(published, rel=0.01)
    llama = facts.quantity("training.flops_per_token.llama_405b.flops").value
    assert configs.quantity("llama_405b.train_flops_per_token_4k").value == pytest.approx(llama, rel=0.015)
    qwen = facts.quantity("training.flops_per_token.qwen_72b.flops").value
    assert 6 * configs.quantity("qwen_72b.active_params").value > 1.05 * qwen


def test_v4_at_a_million_tokens_needs_the_published_share_of_v3_2():
    """27 % and 10 % of V3.2's FLOPs, weighed by format as the report does; unweighed it is 26 % and 12 %."""
    for key in ("v4_pro", "v4_flash"):
        published = configs.quantity(f"{key}.flops_share_of_v3_2_published").value
        assert configs.quantity(f"{key}.equivalent_flops_1m_vs_v3_2").value == pytest.approx(published, abs=0.01)
        assert configs.quantity(f"{key}.flops_1m_vs_v3_2").value == pytest.approx(published, abs=0.03)


def test_sparse_attention_stops_growing_but_for_its_indexer():
    v32 = configs.config("v3_2")
    grown = (
        counting.attention_flops(v32, configs.tokens("1m")).value
        - counting.attention_flops(v32, configs.tokens("128k")).value
    )
    index = v32.layers * 2 * 64 * 128
    assert grown == index * (1_048_576 - 131_072)
    assert configs.quantity("v3_2.flops_per_token_128k").value < configs.quantity("v3.flops_per_token_128k").value
