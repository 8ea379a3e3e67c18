"""The labs: knobs on the project's own computation. What each needs is computed here, when the site is built."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from explainers import paths, runs
from scenes.player.tensors import array_data

BUILT = Path(__file__).parent / "built"
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Lab:
    """A lab: its name in addresses, the lecture it stands beside, its title, and what makes its data."""

    name: str
    lecture: int
    title: str
    data: Callable[[], dict[str, Any]]


def packed(content: bytes) -> str:
    """gzip and base64: bytes for a page that may be opened as a file."""
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode()


def model_file() -> bytes:
    """The small model with its gate's knobs as ONNX."""

    def make() -> bytes:
        from explainers.exporting import onnx_bytes
        from explainers.model import load_shipped

        return onnx_bytes(load_shipped()[0])

    return _exported("model", make)


def cut_file() -> bytes:
    """The small model with plain attention as ONNX, with the rank to which keys and values are cut."""

    def make() -> bytes:
        from explainers.experiments.latent_cut import training_axes
        from explainers.exporting import onnx_bytes_of_cut
        from explainers.model import load_shipped

        return onnx_bytes_of_cut(load_shipped("small_mha")[0], training_axes())

    return _exported("cut", make)


def _exported(name: str, make: Callable[[], bytes]) -> bytes:
    """Exported once for each state of the code and the weights, then from the cache."""
    kept = paths.cache() / "site" / f"{name}-{runs.code_digest()[:24]}.onnx"
    if not kept.is_file():
        from explainers.traces import write_aside

        write_aside(kept, make())
    return kept.read_bytes()


def runtime_file() -> str:
    """onnxruntime's WebAssembly, which ships packed."""
    return base64.b64encode((BUILT / "ort.wasm.gz").read_bytes()).decode()


def routing() -> dict[str, Any]:
    """Lecture 2's lab: the tokenizer, the gate's sizes and a recorded example, the run `routing` as trained."""
    small = paths.assets() / "models" / "small"
    config = json.loads((small / "config.json").read_text())
    trace = runs.get("routing", top_k=config["num_experts_per_tok"], topk_group=config["topk_group"])
    scores, indices = trace["original_scores"].values, trace["indices"].values
    weights, rank = np.zeros_like(scores), np.full(scores.shape, config["n_routed_experts"], dtype=int)
    np.put_along_axis(weights, indices, trace["weights"].values, axis=-1)
    np.put_along_axis(rank, indices, np.broadcast_to(np.arange(indices.shape[-1]), indices.shape), axis=-1)
    labels = trace["original_scores"].labels
    return {
        "merges": json.loads((small / "tokenizer.json").read_text())["merges"],
        "text": trace.params["text"],
        "experts": config["n_routed_experts"],
        "groups": config["n_group"],
        "group_size": config["n_routed_experts"] // config["n_group"],
        "top_k": config["num_experts_per_tok"],
        "topk_group": config["topk_group"],
        "layers": list(labels["layer"]),
        "recorded": {
            "tokens": list(labels["token"]),
            "scores": scores.tolist(),
            "biased": trace["biased_scores"].values.tolist(),
            "groups": trace["group_mask"].values.astype(int).tolist(),
            "rank": rank.tolist(),
            "weights": weights.tolist(),
            "logits": trace["next_logits"].values.tolist(),
        },
    }


#: Ranks that lecture 3's lab offers below those of the run `low_rank`, and for the large model.
FEW = (1, 2)
LARGE_RANKS = (64, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048)
IMAGINED = {"mha": "MHA", "gqa8": "GQA-8", "mqa": "MQA"}


def latent() -> dict[str, Any]:
    """Lecture 3's lab: the run `latent_cut` as an example, the losses of `low_rank`, a large model's sizes."""
    trace, measured = runs.get("latent_cut"), runs.get("low_rank")
    ranks = [*FEW, *measured["cut_rank"].values.tolist()]
    losses = [[None] * len(FEW) + measured["added_loss_shipped"].pick(cut=cut).values.tolist() for cut in (0, 1)]
    kv = trace["kv"]
    arrays = {name: array_data(name, trace[name]) for name in ("kv", "coordinates", "reconstruction")}
    return {
        "merges": json.loads((paths.assets() / "models" / "small_mha" / "tokenizer.json").read_text())["merges"],
        "text": trace.params["text"],
        "features": kv.shape["feature"],
        "layers": [str(layer) for layer in range(kv.shape["layer"])],
        "ranks": ranks,
        "width": 4,  # bytes: the small model computes in float32
        "start": {"rank": trace.params["rank"], "turned": trace.params["turned"], "layer": 1},
        "held_out": losses,
        "recorded": {
            **arrays,
            "tokens": list(kv.labels["token"]),
            "logits": trace["next_logits"].values.tolist(),
            "loss": trace["loss"].values.tolist(),
        },
        "large": _large(),
    }


def _large() -> dict[str, Any]:
    from explainers import caching, configs
    from explainers.roofline import chip

    config, gpu = configs.config("v3"), chip("h800")
    return {
        "title": config.title,
        "layers": config.layers,
        "rank": int(config.size("kv_lora_rank").value),
        "rope": int(config.size("qk_rope_head_dim").value),
        "width": int(caching.BF16.value),
        "context": caching.LENGTHS["128k"],
        "ranks": list(LARGE_RANKS),
        "others": [[name, int(caching.values_per_layer(config, kind).value)] for kind, name in IMAGINED.items()],
        "memory": float(gpu.memory.value),
        "chip": gpu.title,
    }


#: Attentions of `explainers.deployments` that DeepSeek-V3 may be given, and their names.
ATTENTIONS = {"mla": "MLA, as published", "mqa": "MQA", "gqa8": "GQA-8", "mha": "MHA"}
CHIPS = ("h800", "h100", "h200", "b200")  # those with an FP8 figure read in a source
GPUS = 144


def serving() -> dict[str, Any]:
    """Lecture 6's lab: what a step's parts are made of, for each chip and attention; the page does the arithmetic.

    In these cases attention's FLOPs and bytes are proportional to the context, so one key says all (a test compares).
    """
    from explainers import serving as model
    from explainers.deployments import Deployment, attention_flops, cache_read, load, rates
    from explainers.serving_day import reproduce_day

    cases: dict[str, dict[str, dict[str, float]]] = {}
    for chip in CHIPS:
        for attention in ATTENTIONS:
            deployment = Deployment("v3", chip, GPUS, attention)
            counted, speed = load(deployment), rates(deployment)
            cases.setdefault(chip, {})[attention] = {
                "replicated": counted.replicated_bytes,
                "expert": counted.expert_bytes,
                "experts": counted.experts,
                "chosen": counted.chosen,
                "flops": counted.weight_flops,
                "cache": counted.cache_per_token,
                "network": counted.network_bytes,
                "core": float(attention_flops(deployment, 1.0)[0]),
                "read": float(cache_read(deployment, 1.0)),
                "bandwidth": speed.bandwidth,
                "matmul": speed.matmul,
                "attention": speed.attention,
                "card": speed.network,
                "memory": float(deployment.chip.memory.value),
            }
    return {
        "model": Deployment("v3", CHIPS[0]).config.title,
        "gpus": GPUS,
        "utilisation": float(reproduce_day().numbers["decode_utilisation"].value),
        "chips": {chip: Deployment("v3", chip).chip.title for chip in CHIPS},
        "attentions": ATTENTIONS,
        "cases": cases,
        "start": {"chip": "h800", "attention": "mla", "context": 4096, "batch": 64, "price": 2},
        "assumptions": [*model.ASSUMPTIONS, *(f"left out: {line}" for line in model.LEFT_OUT)],
    }


def group() -> dict[str, Any]:
    """Lecture 7's lab: the answers, rewards and likelihoods of the run `grpo_group`."""
    trace = runs.get("grpo_group")
    names = trace["vocabulary"].labels["token"]
    own, tokens = trace["own"].values, trace["token"].values
    ratio = trace["ratio"]
    return {
        "prompt": list(trace["prompt"].labels["place"]),
        "answers": [[names[token] for token in row[mine]] for row, mine in zip(tokens, own, strict=True)],
        "rewards": [round(float(reward), 6) for reward in trace["reward"].values],
        "moments": list(ratio.labels["moment"]),
        "ratio": [[row[mine].tolist() for row, mine in zip(moment, own, strict=True)] for moment in ratio.values],
        "clip": float(trace.quantity("clip")),
    }


LABS = (
    Lab("routing", 2, "Where do tokens go? Routing in the trained model", routing),
    Lab("latent", 3, "How short can the note be? Keys and values from fewer numbers", latent),
    Lab("serving", 6, "What does a token cost? Chip, context, batch, attention", serving),
    Lab("group", 7, "What is rewarded is learnt: a GRPO group with your own rewards", group),
)


def write(folder: Path, script: Callable[[str, Any], str], tell: Tell) -> list[dict[str, Any]]:
    """Write the data of all labs into ``folder`` with ``script`` (name, value → text); what the course says of them."""
    folder.mkdir(parents=True, exist_ok=True)
    tell("labs: exporting the small models (once; then they are kept)")
    files = {"ort": runtime_file(), "model": packed(model_file()), "cut": packed(cut_file())} | {
        lab.name: lab.data() for lab in LABS
    }
    for name, value in files.items():
        (folder / f"{name}.js").write_text(script(f"labs/{name}", value), encoding="utf-8")
    return [{"name": lab.name, "lecture": lab.lecture, "title": lab.title} for lab in LABS]
