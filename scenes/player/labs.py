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
    """The small model as ONNX, exported once for each state of the code and the weights, then from the cache."""
    kept = paths.cache() / "site" / f"model-{runs.code_digest()[:24]}.onnx"
    if not kept.is_file():
        from explainers.exporting import onnx_bytes
        from explainers.model import load_shipped
        from explainers.traces import write_aside

        write_aside(kept, onnx_bytes(load_shipped()[0]))
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
    Lab("serving", 6, "What does a token cost? Chip, context, batch, attention", serving),
    Lab("group", 7, "What is rewarded is learnt: a GRPO group with your own rewards", group),
)


def write(folder: Path, script: Callable[[str, Any], str], tell: Tell) -> list[dict[str, Any]]:
    """Write the data of all labs into ``folder`` with ``script`` (name, value → text); what the course says of them."""
    folder.mkdir(parents=True, exist_ok=True)
    tell("labs: exporting the small model")
    files = {"ort": runtime_file(), "model": packed(model_file())} | {lab.name: lab.data() for lab in LABS}
    for name, value in files.items():
        (folder / f"{name}.js").write_text(script(f"labs/{name}", value), encoding="utf-8")
    return [{"name": lab.name, "lecture": lab.lecture, "title": lab.title} for lab in LABS]
