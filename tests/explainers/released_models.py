"""Small checkpoints of every family, made with transformers in exactly the released formats."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

YARN = {
    "type": "yarn", "factor": 40, "original_max_position_embeddings": 64, "beta_fast": 32, "beta_slow": 1,
    "mscale": 0.707, "mscale_all_dim": 0.707,
}  # fmt: skip
_MLA = {
    "vocab_size": 320, "hidden_size": 128, "num_attention_heads": 4, "num_key_value_heads": 4, "kv_lora_rank": 32,
    "q_lora_rank": 48, "qk_nope_head_dim": 16, "qk_rope_head_dim": 8, "v_head_dim": 16, "intermediate_size": 256,
    "moe_intermediate_size": 64, "n_routed_experts": 16, "n_shared_experts": 2, "num_experts_per_tok": 4,
    "num_hidden_layers": 4, "first_k_dense_replace": 1, "max_position_embeddings": 2560, "rope_theta": 10000,
    "rope_scaling": YARN, "routed_scaling_factor": 2.5,
}  # fmt: skip
CONFIGS: dict[str, dict[str, Any]] = {
    "v2_lite": {**_MLA, "model_type": "deepseek_v2", "q_lora_rank": None, "topk_method": "greedy",
                "norm_topk_prob": False, "routed_scaling_factor": 1.0},
    "v2": {**_MLA, "model_type": "deepseek_v2", "topk_method": "group_limited_greedy", "n_group": 8, "topk_group": 3,
           "norm_topk_prob": False, "routed_scaling_factor": 16.0},
    "v3": {**_MLA, "model_type": "deepseek_v3", "n_group": 4, "topk_group": 2, "n_shared_experts": 1,
           "norm_topk_prob": True, "rope_scaling": {**YARN, "mscale": 1.0, "mscale_all_dim": 1.0},
           "num_nextn_predict_layers": 0},
    "v3_2": {**_MLA, "model_type": "deepseek_v32", "n_group": 4, "topk_group": 2, "n_shared_experts": 1,
             "norm_topk_prob": True, "index_n_heads": 16, "index_head_dim": 16, "index_topk": 10,
             "rope_scaling": {**YARN, "mscale": 1.0, "mscale_all_dim": 1.0}},
    "v4": {"model_type": "deepseek_v4", "vocab_size": 320, "hidden_size": 128, "num_attention_heads": 4, "head_dim": 32,
           "qk_rope_head_dim": 8, "q_lora_rank": 48, "o_groups": 2, "o_lora_rank": 32, "sliding_window": 8,
           "index_n_heads": 16, "index_head_dim": 16, "index_topk": 3, "moe_intermediate_size": 64,
           "n_routed_experts": 16, "n_shared_experts": 1, "num_experts_per_tok": 4, "num_hidden_layers": 5,
           "compress_ratios": [0, 4, 128, 4, 128], "num_hash_layers": 2, "routed_scaling_factor": 1.5,
           "compress_rate_hca": 16, "max_position_embeddings": 2560,
           "rope_scaling": {"type": "yarn", "factor": 16, "original_max_position_embeddings": 64, "beta_fast": 32,
                            "beta_slow": 1}},
}  # fmt: skip
MOE16B = {
    "model_type": "deepseek", "architectures": ["DeepseekForCausalLM"], "vocab_size": 320, "hidden_size": 128,
    "num_attention_heads": 4, "num_key_value_heads": 4, "intermediate_size": 256, "moe_intermediate_size": 64,
    "n_routed_experts": 16, "n_shared_experts": 2, "num_experts_per_tok": 4, "num_hidden_layers": 3,
    "first_k_dense_replace": 1, "moe_layer_freq": 1, "norm_topk_prob": False, "scoring_func": "softmax",
    "max_position_embeddings": 4096, "rope_theta": 10000, "rms_norm_eps": 1e-6, "hidden_act": "silu",
}  # fmt: skip


@torch.no_grad()
def fill(model: torch.nn.Module, experts: int) -> None:
    """Random weights that hide nothing: norms away from 1, biases away from 0, tables that differ."""
    for name, values in [*model.named_parameters(), *model.named_buffers()]:
        if "tid2eid" in name:
            values.copy_(torch.stack([torch.randperm(experts)[: values.shape[1]] for _ in range(len(values))]))
        elif "inv_freq" in name or not values.is_floating_point():
            continue
        elif values.ndim == 1:
            bias = any(part in name for part in ("bias", "sinks", "base"))
            values.normal_(0, 0.3) if bias else values.uniform_(0.5, 1.5)
        else:
            values.normal_(0, 0.7 * values.shape[-1] ** -0.5)


def reference(family: str, dtype: torch.dtype = torch.bfloat16) -> Any:
    """transformers' model of a family, random, its numbers rounded to what the file will hold."""
    import transformers

    torch.manual_seed(7)
    if family == "moe16b":
        return _moe16b(dtype)
    about = dict(CONFIGS[family])
    config = transformers.AutoConfig.for_model(about.pop("model_type"), **about, attn_implementation="eager")
    model = transformers.AutoModelForCausalLM.from_config(config)
    fill(model, about["n_routed_experts"])
    return _rounded(model, dtype)


def saved_numbers(model: Any) -> list[torch.Tensor]:
    """Parameters and the buffers that a file holds; not the frequencies of RoPE, which are computed."""
    named = [*model.named_parameters(), *model.named_buffers()]
    return [values for name, values in named if values.is_floating_point() and "inv_freq" not in name]


def _rounded(model: Any, dtype: torch.dtype) -> Any:
    for values in saved_numbers(model):
        values.data = values.data.to(dtype).float()
    return model.eval()


def _moe16b(dtype: torch.dtype) -> Any:
    """DeepSeekMoE 16B is not in transformers: its Llama with V2's mixture of experts, which has the same rule."""
    import transformers
    from transformers.models.deepseek_v2.modeling_deepseek_v2 import DeepseekV2Moe

    names = ("vocab_size", "hidden_size", "num_attention_heads", "num_key_value_heads", "intermediate_size",
             "num_hidden_layers", "max_position_embeddings", "rms_norm_eps")  # fmt: skip
    llama = transformers.LlamaConfig(**{name: MOE16B[name] for name in names}, attn_implementation="eager")
    model = transformers.LlamaForCausalLM(llama)
    experts = transformers.DeepseekV2Config(
        hidden_size=128, moe_intermediate_size=64, n_routed_experts=16, n_shared_experts=2, num_experts_per_tok=4
    )
    for layer in model.model.layers[1:]:
        layer.mlp = DeepseekV2Moe(experts)
    fill(model, 16)
    return _rounded(model, dtype)


def save_checkpoint(model: Any, family: str, folder: Path, *, shard: str | None = None) -> Path:
    """The model's folder as it is released: BF16, one file or shards with an index, its own ``config.json``."""
    if family == "moe16b":
        save_file(_moe16b_names(model), folder / "model.safetensors", {"format": "pt"})
        (folder / "config.json").write_text(json.dumps(MOE16B))
        return folder
    for values in saved_numbers(model):
        values.data = values.data.bfloat16()
    model.save_pretrained(folder, **({"max_shard_size": shard} if shard else {}))
    for values in saved_numbers(model):
        values.data = values.data.float()
    about = {**CONFIGS[family], "architectures": model.config.architectures, "torch_dtype": "bfloat16"}
    if family == "v4":  # as transformers spells the rates of layers that are not 4 and 128
        about = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(about))
    return folder


def _moe16b_names(model: Any) -> dict[str, torch.Tensor]:
    state = {}
    for name, values in model.state_dict().items():
        stem = name.rpartition(".experts.")[0]
        if name.endswith("experts.gate_up_proj"):
            for number, both in enumerate(values):
                gate, up = both.chunk(2)
                state[f"{stem}.experts.{number}.gate_proj.weight"] = gate.bfloat16().clone()
                state[f"{stem}.experts.{number}.up_proj.weight"] = up.bfloat16().clone()
        elif name.endswith("experts.down_proj"):
            for number, down in enumerate(values):
                state[f"{stem}.experts.{number}.down_proj.weight"] = down.bfloat16().clone()
        else:
            state[name] = values.bfloat16()
    return state


def as_fp8(folder: Path) -> None:
    """Rewrite a BF16 checkpoint as V3 is released: linear weights in E4M3, a float32 scale a block of 128 × 128."""
    state = load_file(folder / "model.safetensors")
    kept = ("embed", "head", "norm", "mlp.gate.", "ffn.gate.", "hc_", "ape", "weights_proj", "wgate", "compressor.wkv")
    done: dict[str, torch.Tensor] = {}
    for name, values in state.items():
        if values.ndim != 2 or not name.endswith(".weight") or any(part in name for part in kept):
            done[name] = values
            continue
        rows, columns = -(-values.shape[0] // 128), -(-values.shape[1] // 128)
        codes, scales = torch.empty(values.shape, dtype=torch.float8_e4m3fn), torch.empty(rows, columns)
        for i in range(rows):
            for j in range(columns):
                at = slice(128 * i, 128 * (i + 1)), slice(128 * j, 128 * (j + 1))
                scales[i, j] = values[at].float().abs().max() / 448
                codes[at] = (values[at].float() / scales[i, j]).to(torch.float8_e4m3fn)
        done[name], done[f"{name}_scale_inv"] = codes, scales
    save_file(done, folder / "model.safetensors", {"format": "pt"})
    about = json.loads((folder / "config.json").read_text())
    about["quantization_config"] = {
        "quant_method": "fp8", "fmt": "e4m3", "activation_scheme": "dynamic", "weight_block_size": [128, 128]
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(about))


def save_tokenizer(folder: Path) -> Path:
    """A ``tokenizer.json`` of the hub's format, learnt on a sentence: bytes, a few merges, one special token."""
    import tokenizers

    library = tokenizers.Tokenizer(tokenizers.models.BPE())
    library.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    library.decoder = tokenizers.decoders.ByteLevel()
    alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=320, initial_alphabet=alphabet, special_tokens=["<s>"], show_progress=False
    )
    library.train_from_iterator(["Read this line, then read the next line."] * 9, trainer)
    library.save(str(folder / "tokenizer.json"))
    return folder
