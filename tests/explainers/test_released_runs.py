"""Runs and `explain inspect` on released models: made checkpoints of every family, and what is not one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file, save_file

from explainers import runs, sources
from explainers.checkpoints import Checkpoint
from explainers.errors import ExplainError
from explainers.experiments.decoding import cache_held
from explainers.experiments.latent import mla_sentence
from explainers.experiments.routing import routing
from explainers.inspection import inspect
from explainers.model import model_folder
from scenes.cli import explain
from scenes.kit.origin import origin_text

pytest.importorskip("transformers", minversion="5.20", reason="it makes the checkpoints")
pytest.importorskip("tokenizers", reason="it makes the tokenizers")
from tests.explainers import released_models as made

FAMILIES = ("moe16b", "v2_lite", "v2", "v3", "v3_2", "v4")
LATENT = ("v2_lite", "v2", "v3", "v3_2")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    top = tmp_path_factory.mktemp("models")
    found = {}
    for family in FAMILIES:
        folder = top / f"a-{family}"
        folder.mkdir()
        found[family] = made.save_tokenizer(made.save_checkpoint(made.reference(family), family, folder))
    return found


@pytest.mark.parametrize("family", FAMILIES)
def test_routing(folders: dict[str, Path], family: str) -> None:
    trace = routing(source=f"checkpoint:{folders[family]}")
    assert trace["scores" if "scores" in trace.arrays else "original_scores"]["expert"] == 16
    assert trace["indices"]["slot"] == 4
    layers = {"moe16b": 2, "v4": 5}.get(family, 3)  # V4: two layers with a table of tokens, three with a gate
    assert trace["load"]["layer"] == layers and (trace["load"].values.sum(-1) == 4 * trace["u"]["token"]).all()
    assert trace.quantity("combination_error").value < 1e-4
    answer = trace["routed_out"].values + trace["shared_out"].values
    assert np.abs(answer - trace["combined"].values).max() < 1e-5
    groups = {"v2": 8, "v3": 4, "v3_2": 4}.get(family, 1)
    assert trace["group_mask"]["group"] == groups
    has_bias = family in ("v3", "v3_2", "v4")
    assert (trace.quantity("largest_bias").value > 0) == has_bias
    assert "layers 0 to" in trace.meta["model"]
    if family == "v4":
        assert "dense_inner" not in trace.arrays and trace.quantity("table_layers").value == 2
    else:
        assert trace["dense_inner"]["neuron"] == 256 and "table_layers" not in trace.quantities


def test_hash_routed_layers_go_by_the_token_alone(folders: dict[str, Path]) -> None:
    trace = routing(text="line line line", source=f"checkpoint:{folders['v4']}")
    tokens = trace["indices"].labels["token"]
    same = [n for n, token in enumerate(tokens) if token == tokens[-1]]
    chosen = trace["indices"].pick(layer=0).values  # the made V4 has two hash-routed layers
    assert len(same) > 1 and all((chosen[n] == chosen[same[0]]).all() for n in same)
    by_table = round(float(trace.quantity("table_layers")))
    assert by_table == 2 and not trace["bias"].values[:by_table].any() and trace["bias"].values[by_table:].any()


@pytest.mark.parametrize("family", LATENT)
def test_mla_sentence(folders: dict[str, Path], family: str) -> None:
    trace = mla_sentence(source=f"checkpoint:{folders[family]}#all")
    assert trace["h"]["layer"] == 4 and trace["c_kv"]["latent"] == 32
    assert trace.quantity("relative_difference_float64").value < 1e-10
    assert trace["next_probability"].values.sum() <= 1
    part = mla_sentence(source=f"checkpoint:{folders[family]}#2")
    assert part["h"]["layer"] == 2 and "next_probability" not in part.arrays
    assert np.array_equal(part["c_kv"].values, trace["c_kv"].values[:2])


def test_what_a_run_cannot_read(folders: dict[str, Path]) -> None:
    with pytest.raises(ExplainError, match="no latent attention"):
        mla_sentence(source=f"checkpoint:{folders['v4']}")
    with pytest.raises(ExplainError, match="no experts in what is read"):
        routing(source=f"checkpoint:{folders['v3']}#1")
    with pytest.raises(ExplainError, match="the model has 4"):
        routing(source=f"checkpoint:{folders['v3']}#9")
    with pytest.raises(ExplainError, match="run 'decode_work' does not take"):
        runs.get("decode_work", source=f"checkpoint:{folders['v3']}")
    with pytest.raises(ExplainError, match="no number of layers"):
        routing(source=f"checkpoint:{folders['v3']}#few")
    assert cache_held(source=f"checkpoint:{folders['v3']}")["bytes_held"]["token"] > 5


def test_our_own_model_as_a_checkpoint() -> None:
    """The shipped model is in V3's format: read as a released one it gives the tensors it gives as itself."""
    own, released = routing(), routing(source=f"checkpoint:{model_folder('small')}#all")
    assert np.array_equal(own["indices"].values, released["indices"].values)
    assert np.abs(own["combined"].values - released["combined"].values).max() < 2e-4
    assert np.abs(mla_sentence()["attention"].values - mla_sentence(
        source=f"checkpoint:{model_folder('small')}#all"
    )["attention"].values).max() < 1e-5  # fmt: skip
    biases = 3 * 16  # which our own count leaves out: they are no parameters of the optimiser
    for name in ("parameters", "active_parameters"):
        assert own.quantity(name).value + biases == released.quantity(name).value


def test_pictures_say_which_model(folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    source = f"checkpoint:{folders['v2']}"
    trace = routing(source=source)
    assert origin_text([trace]) == "computed: run routing"
    monkeypatch.setenv("EXPLAIN_CONTEXT", json.dumps({"source": source}))
    assert origin_text([trace]) == "computed: run routing of a-v2, DeepSeek-V2 format"
    assert runs.model_of("decode_work") == "the small model" and runs.model_of("kv_generations") == ""
    assert runs.get("decode_work").params["source"] == "small"


def test_a_replaced_file_is_computed_again(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(folders["v2_lite"], tmp_path / "m"))
    before = sources.fingerprint(f"checkpoint:{folder}")
    state = load_file(folder / "model.safetensors")
    save_file({name: values * 2 for name, values in state.items()}, folder / "model.safetensors")
    assert sources.fingerprint(f"checkpoint:{folder}") != before


# ---------------------------------------------------------------------- inspect
@pytest.mark.parametrize("family", FAMILIES)
def test_inspect_counts_twice_the_same(folders: dict[str, Path], family: str) -> None:
    found = inspect(Checkpoint(folders[family]))
    assert found.disagreements == []
    assert found.family == family
    state = load_file(folders[family] / "model.safetensors")
    whole = sum(values.numel() for name, values in state.items() if not name.endswith("tid2eid"))
    assert found.stored_total == found.total.value == whole
    assert found.stored_active == found.active.value < whole


def test_inspect_fp8(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(folders["v3"], tmp_path / "fp8"))
    plain = inspect(Checkpoint(folder))
    made.as_fp8(folder)
    found = inspect(Checkpoint(folder))
    assert found.disagreements == [] and found.total == plain.total and found.stored_total == plain.stored_total
    state = load_file(folder / "model.safetensors")
    gone = [name for name in state if name.endswith("kv_b_proj.weight_scale_inv")]
    save_file({name: values for name, values in state.items() if name not in gone}, folder / "model.safetensors")
    (bare,) = inspect(Checkpoint(folder)).disagreements
    assert "kv_b_proj.weight" in bare and f"and {len(gone) - 1} more have no scales" in bare
    assert found.dtypes["F8_E4M3"] > found.dtypes["BF16"] and found.stored_bytes < 0.7 * plain.stored_bytes


def test_inspect_says_where_files_and_configuration_disagree(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(folders["v3"], tmp_path / "odd"))
    state = load_file(folder / "model.safetensors")
    gone = [name for name in state if ".layers.2." in name or ".layers.3.mlp.experts.15." in name]
    for name in gone:
        del state[name]
    state["model.layers.4.eh_proj.weight"] = torch.zeros(128, 256)
    save_file(state, folder / "model.safetensors")
    result = CliRunner().invoke(explain, ["inspect", str(folder)])
    assert result.exit_code == 0
    assert "the files lack layer 2" in result.output
    assert "layer 3 has 15 routed experts in the files, config.json says 16" in result.output
    assert "fewer" in result.output and "32,768 in the files, not among the above" in result.output
    about = json.loads(CliRunner().invoke(explain, ["inspect", str(folder), "--json"]).output)
    assert about["family"] == "v3" and about["stored_mtp"] == 32768 and len(about["disagreements"]) == 4


@pytest.mark.parametrize("key", ["v2_lite", "v3", "v3_2", "v4_flash"])
def test_real_configurations_count_as_cited(key: str) -> None:
    """Sizes of the released models, written as their config.json has them: parameters as counted from the reports."""
    from explainers import configs
    from explainers.families import architecture
    from explainers.inspection import sizes_from_config

    cited = configs.config(key)
    about = {name: int(cited.sizes[name].value) for name in ("q_lora_rank", "kv_lora_rank", "qk_nope_head_dim",
             "qk_rope_head_dim", "v_head_dim", "head_dim", "o_groups", "o_lora_rank", "sliding_window",
             "index_head_dim", "index_topk") if name in cited.sizes}  # fmt: skip
    names = {"hidden_size": "hidden", "vocab_size": "vocab", "num_hidden_layers": "layers", "intermediate_size":
             "dense_intermediate", "num_attention_heads": "heads", "n_routed_experts": "routed_experts",
             "n_shared_experts": "shared_experts", "num_experts_per_tok": "experts_per_token", "moe_intermediate_size":
             "moe_intermediate", "first_k_dense_replace": "dense_layers", "n_group": "expert_groups", "topk_group":
             "expert_groups_kept", "index_n_heads": "index_heads", "hc_mult": "residual_streams"}  # fmt: skip
    about |= {name: int(cited.sizes[own].value) for name, own in names.items() if own in cited.sizes}
    kind = {"v2_lite": "deepseek_v2", "v3": "deepseek_v3", "v3_2": "deepseek_v32", "v4_flash": "deepseek_v4"}[key]
    if key == "v4_flash":
        about["compress_ratios"] = [0, 0] + [4, 128] * 20 + [4]  # type: ignore[assignment]
        about["n_group"] = about["topk_group"] = 1
    arch = architecture({"model_type": kind, **about})
    sizes = sizes_from_config(arch, about)
    assert configs.quantity(f"{key}.total_params").value == pytest.approx(_total(sizes), rel=1e-9)


def _total(sizes: object) -> float:
    from explainers.counting import total_params

    return total_params(sizes).value  # type: ignore[arg-type]
