"""Released models read from files, against transformers' own model on the same file: every family, layer by layer."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from explainers.checkpoints import Checkpoint
from explainers.errors import ExplainError
from explainers.released import ReleasedModel
from explainers.released_tokenizer import load_tokenizer

pytest.importorskip("transformers", minversion="5.20", reason="the reference of these tests")
from tests.explainers import released_models as made

FAMILIES = ("moe16b", "v2_lite", "v2", "v3", "v3_2", "v4")
LENGTH = 40


def ids() -> Tensor:
    return torch.randint(96, (2, LENGTH), generator=torch.Generator().manual_seed(1))


def routed(model: Any) -> list[tuple[Tensor, Tensor]]:
    """Hook every router: weights and indices of each call, in order of layers."""
    seen: list[tuple[Tensor, Tensor]] = []
    for layer in model.model.layers:
        if (gate := getattr(layer.mlp, "gate", None)) is not None:
            gate.register_forward_hook(lambda _module, _inputs, out: seen.append((out[1], out[2])))
    return seen


def compare(ours: ReleasedModel, theirs: Any) -> dict[str, float]:
    """Largest differences over layers of hidden states, attention, weights of experts, and of the logits."""
    text, seen = ids(), routed(theirs)
    with torch.no_grad():
        expected = theirs(text, output_hidden_states=True, output_attentions=True)
        found = ours(text, trace=True)
    worst = {"hidden": 0.0, "attention": 0.0, "routing": 0.0}
    for number, layer in enumerate(found.layers):
        worst["hidden"] = max(worst["hidden"], float((layer["x"] - expected.hidden_states[number]).abs().max()))
        near = (layer["attention"] - expected.attentions[number]).abs().max()
        worst["attention"] = max(worst["attention"], float(near))
    routings = [routing for routing in found.routings if routing is not None]
    assert len(routings) == len(seen)
    for mine, (weights, indices) in zip(routings, seen, strict=True):
        order, own = indices.argsort(-1), mine.indices.argsort(-1)
        assert torch.equal(indices.gather(1, order), mine.indices.gather(1, own))
        difference = (weights.gather(1, order) - mine.weights.gather(1, own)).abs().max()
        worst["routing"] = max(worst["routing"], float(difference / weights.abs().max()))
    worst["logits"] = float((found.logits - expected.logits).abs().max())
    return worst


@pytest.mark.parametrize("family", FAMILIES)
def test_against_transformers(family: str, tmp_path: Path) -> None:
    theirs = made.reference(family)
    folder = made.save_checkpoint(theirs, family, tmp_path, shard="300KB" if family in ("v3", "v4") else None)
    checkpoint = Checkpoint(folder)
    ours = ReleasedModel(checkpoint, checkpoint.config["num_hidden_layers"])
    assert ours.cfg.family == family
    worst = compare(ours, theirs)
    print(family, {name: f"{value:.1e}" for name, value in worst.items()})
    assert max(worst.values()) < 1e-5, worst


@pytest.mark.parametrize("family", ["v2", "v3", "v3_2", "v4"])
def test_fp8_against_transformers(family: str, tmp_path: Path) -> None:
    """The same with weights in FP8: transformers' own dequantiser fills its model from the same file."""
    from transformers.integrations.finegrained_fp8 import Fp8Dequantize

    theirs = made.reference(family)
    folder = made.save_checkpoint(theirs, family, tmp_path)
    made.as_fp8(folder)
    ours = ReleasedModel(Checkpoint(folder), theirs.config.num_hidden_layers)
    state = load_file(folder / "model.safetensors")
    plain = {}
    for name, values in state.items():
        if name.endswith("_scale_inv"):
            continue
        scales = state.get(f"{name}_scale_inv")
        plain[name] = values if scales is None else Fp8Dequantize(None)._dequantize_one(values, scales, torch.float32)
    assert sum(values.dtype == torch.float32 for values in plain.values()) > 50
    unquantised = tmp_path / "plain"
    unquantised.mkdir()
    about = json.loads((folder / "config.json").read_text())
    del about["quantization_config"]
    (unquantised / "config.json").write_text(json.dumps(about))
    save_file(plain, unquantised / "model.safetensors", {"format": "pt"})
    reloaded = type(theirs).from_pretrained(unquantised, dtype=torch.float32, attn_implementation="eager").eval()
    worst = compare(ours, reloaded)
    print(family, "FP8", {name: f"{value:.1e}" for name, value in worst.items()})
    assert max(worst.values()) < 1e-5, worst


# ---------------------------------------------------------------------- formats that transformers cannot make
def test_v4_under_deepseeks_own_names(tmp_path: Path) -> None:
    """Names without ``model.``, ``kv_norm``, ``compress_ratios``, and scales as powers of two called ``.scale``."""
    theirs = made.reference("v4")
    folder = made.save_checkpoint(theirs, "v4", tmp_path)
    expected = ReleasedModel(Checkpoint(folder), 5)(ids()).logits
    state = load_file(folder / "model.safetensors")
    own: dict[str, Tensor] = {}
    for name, values in state.items():
        short = name.removeprefix("model.").replace("embed_tokens", "embed").replace("hc_head.hc_", "hc_head_")
        short = short.replace(".attn.norm.", ".attn.kv_norm.")
        if short.endswith("wq_b.weight") and "indexer" not in short:
            scale = torch.full((1, 1), 2.0**-3)
            own[short] = (values.float() / scale).to(torch.float8_e4m3fn)
            own[short.removesuffix("weight") + "scale"] = scale.to(torch.float8_e8m0fnu)
            state[name] = (own[short].float() * scale).bfloat16()
        else:
            own[short] = values
    save_file(state, folder / "model.safetensors", {"format": "pt"})
    rounded = ReleasedModel(Checkpoint(folder), 5)(ids()).logits
    save_file(own, folder / "model.safetensors", {"format": "pt"})
    again = ReleasedModel(Checkpoint(folder), 5)(ids()).logits
    assert torch.equal(again, rounded)
    assert (again - expected).abs().max() > 1e-4  # FP8 was really read


def test_blocks_that_do_not_divide(tmp_path: Path) -> None:
    """576 rows (V3's kv_a) are four blocks of 128 and a half; scales say what each row is multiplied by."""
    codes = torch.randn(576, 200).to(torch.float8_e4m3fn)
    scales = torch.rand(5, 2) + 0.5
    save_file({"w": codes, "w_scale_inv": scales}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text('{"model_type": "deepseek_v3"}')
    found = Checkpoint(tmp_path).read("w", (576, 200))
    for row, column in ((0, 0), (127, 127), (128, 128), (575, 199), (512, 5)):
        assert found[row, column] == codes[row, column].float() * scales[row // 128, column // 128]
    save_file({"w": codes, "w_scale_inv": scales[:4]}, tmp_path / "model.safetensors")
    with pytest.raises(ExplainError, match="scales .* do not fit"):
        Checkpoint(tmp_path).read("w")
    about = {"model_type": "deepseek_v3", "quantization_config": {"weight_block_size": "128"}}
    (tmp_path / "config.json").write_text(json.dumps(about))
    with pytest.raises(ExplainError, match="weight_block_size is '128'"):
        Checkpoint(tmp_path).read("w")
    save_file({"w": codes}, tmp_path / "model.safetensors")
    assert Checkpoint(tmp_path).bare("w")
    with pytest.raises(ExplainError, match="F8_E4M3 without scales"):
        Checkpoint(tmp_path).read("w")


def test_packed_fp4_against_transformers(tmp_path: Path) -> None:
    from transformers.integrations.finegrained_fp8 import Fp8Dequantize

    packed = torch.randint(-128, 128, (64, 48), dtype=torch.int8)
    scales = torch.randint(-3, 4, (64, 3)).float().exp2()
    save_file(
        {"x.weight": packed, "x.scale": scales.to(torch.float8_e8m0fnu)}, tmp_path / "model.safetensors"
    )  # fmt: skip
    (tmp_path / "config.json").write_text('{"model_type": "deepseek_v4"}')
    theirs = Fp8Dequantize(None)._dequantize_one(packed, scales, torch.float32)
    assert torch.equal(Checkpoint(tmp_path).read("x.weight", (64, 96)), theirs)


# ---------------------------------------------------------------------- what cannot be read
@pytest.fixture(scope="module")
def lite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made.save_checkpoint(made.reference("v2_lite"), "v2_lite", tmp_path_factory.mktemp("lite"), shard="300KB")


def broken(lite: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(lite, tmp_path / "broken"))


def test_a_missing_shard_only_matters_when_it_is_read(lite: Path, tmp_path: Path) -> None:
    folder = broken(lite, tmp_path)
    where = json.loads((folder / "model.safetensors.index.json").read_text())["weight_map"]
    last = {file for name, file in where.items() if ".layers.3." in name}
    first = {file for name, file in where.items() if ".layers.3." not in name}
    (folder / sorted(last - first)[0]).unlink()
    assert ReleasedModel(Checkpoint(folder), 3)(ids(), trace=True).layers
    with pytest.raises(ExplainError, match="is not there, though the index names it"):
        ReleasedModel(Checkpoint(folder), 4)(ids())


def test_truncated(lite: Path, tmp_path: Path) -> None:
    folder = broken(lite, tmp_path)
    for file in folder.glob("*.safetensors"):
        file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ExplainError, match="is no whole safetensors file"):
        ReleasedModel(Checkpoint(folder))(ids())


def test_numbers_that_are_none(lite: Path, tmp_path: Path) -> None:
    folder = broken(lite, tmp_path)
    name = "model.layers.1.input_layernorm.weight"
    file = folder / json.loads((folder / "model.safetensors.index.json").read_text())["weight_map"][name]
    state = load_file(file)
    save_file({**state, name: torch.full_like(state[name], float("nan"))}, file, {"format": "pt"})
    with pytest.raises(ExplainError, match="layer 1 of .* not finite"):
        ReleasedModel(Checkpoint(folder))(ids())


class _Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("executed",)


def test_pickles_are_refused_and_not_run(lite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = broken(lite, tmp_path)
    for file in folder.glob("*.safetensors*"):
        file.unlink()
    torch.save({"x": _Bomb()}, folder / "pytorch_model.bin")
    with pytest.raises(ExplainError, match="a pickle, which can run code"):
        Checkpoint(folder)
    shutil.copy(folder / "pytorch_model.bin", folder / "model.safetensors")
    with pytest.raises(ExplainError, match="is no whole safetensors file"):
        Checkpoint(folder)
    assert not (tmp_path / "executed").exists()


def test_code_beside_the_weights_is_not_run(lite: Path, tmp_path: Path) -> None:
    folder = broken(lite, tmp_path)
    (folder / "modeling_deepseek.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    about = json.loads((folder / "config.json").read_text())
    about["auto_map"] = {"AutoModelForCausalLM": "modeling_deepseek.DeepseekForCausalLM"}
    (folder / "config.json").write_text(json.dumps(about))
    ReleasedModel(Checkpoint(folder))(ids())
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "llama"}, "model_type 'llama'"),
        ({"num_hidden_layers": None}, "num_hidden_layers is None"),
        ({"kv_lora_rank": 16}, "config.json asks for"),
        ({"n_routed_experts": 24}, "config.json asks for"),
        ({"rope_scaling": {"type": "linear", "factor": 2}}, "stretched by 'linear'"),
        ({"rope_scaling": {"type": "yarn", "factor": "forty", "original_max_position_embeddings": 64}}, "factor is"),
        ({"topk_method": "newest"}, "unknown topk_method 'newest'"),
        ({"vocab_size": 50}, "is not among the model's 50"),
    ],
)
def test_a_configuration_of_something_else(lite: Path, tmp_path: Path, change: dict[str, Any], message: str) -> None:
    folder = broken(lite, tmp_path)
    about = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(about | change))
    with pytest.raises(ExplainError, match=message):
        ReleasedModel(Checkpoint(folder))(ids())


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (shutil.rmtree, "there is no folder"),
        (lambda f: (f / "config.json").unlink(), "has no config.json"),
        (lambda f: (f / "config.json").write_text("{"), "is no JSON"),
        (lambda f: (f / "config.json").write_text("[]"), "holds a list"),
        (lambda f: (f / "model.safetensors.index.json").unlink(), "download the index too"),
        (lambda f: (f / "model.safetensors.index.json").write_text("{}"), "no weight_map"),
        (
            lambda f: (f / "model.safetensors.index.json").write_text('{"weight_map": {"x": "../../etc/passwd"}}'),
            "which is not a file beside it",
        ),
        (
            lambda f: (f / "model.safetensors.index.json").write_text(
                (f / "model.safetensors.index.json").read_text().replace("model.norm.weight", "model.other.weight")
            ),
            "has no tensor 'model.norm.weight'",
        ),
    ],
)
def test_folders_that_are_no_checkpoint(lite: Path, tmp_path: Path, prepare: Any, message: str) -> None:
    folder = broken(lite, tmp_path)
    prepare(folder)
    with pytest.raises(ExplainError, match=message):
        ReleasedModel(Checkpoint(folder))(ids())


# ---------------------------------------------------------------------- memory
def test_a_layer_costs_the_memory_of_a_layer(tmp_path: Path) -> None:
    """A synthetic shard of 12 GB (a hole in the file system): reading one layer of it takes its own few megabytes."""
    path = tmp_path / "model.safetensors"
    _with_holes(path, {f"model.layers.{n}.mlp.gate_proj.weight": ("BF16", (100_000, 1000)) for n in range(60)})
    (tmp_path / "config.json").write_text('{"model_type": "deepseek_v3"}')
    assert path.stat().st_size > 11e9
    code = (
        "import resource, sys; from explainers.checkpoints import Checkpoint; import torch\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024\n"
        f"c = Checkpoint({str(tmp_path)!r}); before = peak()\n"
        "w = c.read('model.layers.41.mlp.gate_proj.weight')\n"
        "print(peak() - before, w.numel())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    grown, numbers = map(int, done.stdout.split())
    stored, read = 2 * numbers, 4 * numbers
    print(f"the layer has {stored / 1e6:.0f} MB in the file, {read / 1e6:.0f} MB in float32; peak {grown / 1e6:.0f} MB")
    assert grown < stored + read + 150e6


#: V3's own sizes, of one layer with experts: names and shapes of the released file.
_V3 = {"model_type": "deepseek_v3", "hidden_size": 7168, "vocab_size": 129280, "num_hidden_layers": 61,
       "num_attention_heads": 128, "num_key_value_heads": 128, "q_lora_rank": 1536, "kv_lora_rank": 512,
       "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128, "intermediate_size": 18432,
       "moe_intermediate_size": 2048, "n_routed_experts": 256, "n_shared_experts": 1, "num_experts_per_tok": 8,
       "n_group": 8, "topk_group": 4, "routed_scaling_factor": 2.5, "first_k_dense_replace": 0,
       "max_position_embeddings": 163840, "quantization_config": {"weight_block_size": [128, 128]}}  # fmt: skip


def _v3_layer() -> dict[str, tuple[str, tuple[int, ...]]]:
    at, shapes = (
        "model.layers.0.",
        {"q_a": (1536, 7168), "q_b": (24576, 1536), "kv_b": (32768, 512), "o": (7168, 16384)},
    )
    coded = {f"{at}self_attn.{name}_proj.weight": shape for name, shape in shapes.items()}
    coded[f"{at}self_attn.kv_a_proj_with_mqa.weight"] = (576, 7168)
    for expert in ("shared_experts", *(f"experts.{number}" for number in range(256))):
        for name, shape in (("gate", (2048, 7168)), ("up", (2048, 7168)), ("down", (7168, 2048))):
            coded[f"{at}mlp.{expert}.{name}_proj.weight"] = shape
    found: dict[str, tuple[str, tuple[int, ...]]] = {name: ("F8_E4M3", shape) for name, shape in coded.items()}
    scales = {f"{name}_scale_inv": ("F32", (-(-r // 128), -(-c // 128))) for name, (r, c) in coded.items()}
    norms = {"input_layernorm": 7168, "post_attention_layernorm": 7168, "self_attn.q_a_layernorm": 1536,
             "self_attn.kv_a_layernorm": 512}  # fmt: skip
    plain = {f"{at}{name}.weight": ("BF16", (size,)) for name, size in norms.items()}
    gate = {f"{at}mlp.gate.weight": ("BF16", (256, 7168)), f"{at}mlp.gate.e_score_correction_bias": ("F32", (256,))}
    ends = {"model.embed_tokens.weight": ("BF16", (129280, 7168)), "model.norm.weight": ("BF16", (7168,))}
    return {**found, **scales, **plain, **gate, **ends}


def _with_holes(path: Path, tensors: dict[str, tuple[str, tuple[int, ...]]]) -> None:
    """A safetensors file of these tensors, all zeros that take no room on the disk."""
    size = {"F8_E4M3": 1, "BF16": 2, "F32": 4}
    header, place = {}, 0
    for name, (dtype, shape) in tensors.items():
        end = place + math.prod(shape) * size[dtype]
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [place, end]}
        place = end
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + place)


def test_a_whole_layer_of_v3_on_a_small_machine(tmp_path: Path) -> None:
    """Attention and experts of V3's real sizes in FP8 run within 4 GB, of which the file alone has three times as much.

    Most of it is one layer's attention in float32; of the experts one at a time is in memory.
    """
    _with_holes(tmp_path / "model.safetensors", _v3_layer())
    (tmp_path / "config.json").write_text(json.dumps(_V3))
    assert (tmp_path / "model.safetensors").stat().st_size > 13e9
    code = (
        "import resource, torch; from explainers.checkpoints import Checkpoint\n"
        "from explainers.released import ReleasedModel\n"
        f"model = ReleasedModel(Checkpoint({str(tmp_path)!r}), 1)\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024\n"
        "before = peak(); out = model(torch.arange(9)[None], trace=True)\n"
        "print(peak() - before, out.layers[0]['k_nope'].shape[2], out.routings[0].n_routed_experts)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    grown, heads, experts = map(int, done.stdout.split())
    print(f"a layer of V3, read and run: {grown / 1e9:.1f} GB")
    assert (heads, experts) == (128, 256) and grown < 4e9


# ---------------------------------------------------------------------- tokenizer
def test_tokenizer_of_the_folder(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    made.save_tokenizer(tmp_path)
    tokenizer = load_tokenizer(tmp_path)
    text = "Read this Straße, 漢\n"
    assert tokenizer.decode(tokenizer.encode(text)) == text
    shown = [tokenizer.display(token) for token in tokenizer.encode(text)]
    assert "".join(shown[:2]).startswith("Read·") or shown[0] == "Read"
    assert any(piece.startswith("‹") for piece in shown) and shown[-1] == "↵"
    (tmp_path / "tokenizer.json").write_text('{"version": "1.0"}')
    with pytest.raises(ExplainError, match="no tokenizer that can be read"):
        load_tokenizer(tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(ExplainError, match="has no tokenizer.json"):
        load_tokenizer(tmp_path)
