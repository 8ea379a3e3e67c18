"""The trained models that ship with the project: their recipes, their folders, their model cards."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from explainers import corpus, paths
from explainers.batches import DOMAINS, Data, load_data, train_tokenizer
from explainers.errors import one_of
from explainers.model_config import ModelConfig, with_attention
from explainers.quantities import Quantity, computed
from explainers.tokenizer import Tokenizer
from explainers.traces import NamedArray, Trace, to_numpy, write_aside
from explainers.training import Recipe, Training, train, violation


@dataclass(frozen=True)
class ShippedModel:
    """A model of ``assets/models``: its recipe, what it is for, and about how long training took."""

    name: str
    summary: str
    recipe: Recipe
    minutes: float


_LONG = Recipe(steps=1200, rows=8, length=256, lr=1e-2, warmup=40, eval_every=100)
MODELS = {
    model.name: model
    for model in (
        ShippedModel(
            "small",
            "the small DeepSeek: MLA, 16 experts, bias balancing, one MTP layer in training",
            replace(_LONG, model=ModelConfig(num_nextn_predict_layers=1)),
            15,
        ),
        ShippedModel(
            "small_mha",
            "the same width and depth with plain multi-head attention and dense layers: what MLA is compared with",
            replace(_LONG, model=ModelConfig(attention="mha", n_routed_experts=0), steps=600),
            4,
        ),
    )
}


def tokenizer() -> Tokenizer:
    """The shipped tokenizer; where it is not there, it is trained (on another Python it would come out another)."""
    path = paths.assets() / "models" / "small" / "tokenizer.json"
    return Tokenizer.load(path) if path.is_file() else train_tokenizer(corpus.build())


def data() -> Data:
    """The corpus in the shipped tokenizer's ids."""
    return load_data(_tokenizer())


_KEPT: list[Tokenizer] = []


def _tokenizer() -> Tokenizer:
    if not _KEPT:
        _KEPT.append(tokenizer())
    return _KEPT[0]


def train_shipped(
    name: str,
    *,
    steps: int | None = None,
    seed: int | None = None,
    attention: str | None = None,
    device: str = "cpu",
    out: Path | None = None,
) -> tuple[Training, Path]:
    """Train a model of `MODELS` and write its folder; with its own settings that is ``assets/models/<name>``.

    ``attention`` puts another one in (`explainers.model_config.ATTENTIONS`), at the same sizes.
    """
    if name not in MODELS:
        raise one_of("model", name, list(MODELS))
    shipped = MODELS[name]
    recipe = replace(
        shipped.recipe, steps=steps or shipped.recipe.steps, seed=shipped.recipe.seed if seed is None else seed
    )
    if attention is not None:
        recipe = replace(recipe, model=with_attention(recipe.model, attention))
    changed = recipe != shipped.recipe
    label = f"{name}_{attention}" if attention not in (None, shipped.recipe.model.attention) else name
    if out is None:
        out = (
            paths.cache() / "models" / f"{label}-{recipe.seed}-{recipe.steps}"
            if changed
            else paths.assets() / "models" / name
        )
    training = train(recipe, data(), device=device, progress=label)
    write_folder(training, shipped, out)
    return training, out


def write_folder(training: Training, shipped: ShippedModel, out: Path) -> None:
    """Weights, configuration, tokenizer, record of the training and model card."""
    training.model.save(out)
    training.data.tokenizer.save(out / "tokenizer.json")
    record_trace(training, f"train_{shipped.name}").save(out / "training.safetensors")
    write_aside(out / "MODEL_CARD.md", model_card(training, shipped).encode())


def record_trace(training: Training, run: str) -> Trace:
    """Loss curve (means of ten steps), validation per domain, loads and biases at each measurement."""
    record, recipe = training.record, training.recipe
    loss = np.asarray(record.loss)
    every = max(1, min(10, len(loss)))
    smooth = loss[: len(loss) // every * every].reshape(-1, every).mean(1)
    arrays = {
        "loss": NamedArray(
            smooth.astype(np.float32), ("step",), unit="nat/token", labels={"step": _labels(smooth, every)}
        ),
        "validation": NamedArray(
            to_numpy(torch.stack(record.validation).float()),
            ("step", "domain"),
            unit="nat/token",
            labels={"step": tuple(map(str, record.eval_step)), "domain": DOMAINS},
        ),
    }
    if record.load:
        arrays["max_vio"] = NamedArray(to_numpy(violation(record).float()), ("layer",))
    quantities = {"loss": computed(training.final_loss, "nat/token", "mean over domains of the held-out cross-entropy")}
    quantities |= {f"bits_per_byte_{d}": bits_per_byte(training, d) for d in DOMAINS}
    total, active = training.model.parameter_counts()
    quantities["parameters"] = computed(total, "param", "counted in the trained model, without the MTP layer")
    quantities["active_parameters"] = computed(active, "param", "counted: shared parts and k experts a layer")
    quantities["tokens"] = computed(recipe.tokens, "token", f"{recipe.steps} steps × {recipe.rows} × {recipe.length}")
    params = {"steps": recipe.steps, "optimizer": recipe.optimizer, "lr": recipe.lr, "balance": recipe.balance}
    return Trace(run, arrays, quantities, params, recipe.seed, "cpu", training.versions())


def _labels(smooth: np.ndarray, every: int) -> tuple[str, ...]:
    return tuple(str((number + 1) * every) for number in range(len(smooth)))


def bits_per_byte(training: Training, domain: str) -> Quantity:
    """Held-out bits a byte of a domain: nats a token / ln 2 / bytes a token."""
    nats = float(training.record.validation[-1][DOMAINS.index(domain)])
    bits = nats / float(np.log(2)) / training.data.bytes_per_token[domain]
    return computed(bits, "bit/B", "nats a token / ln 2 / bytes a token", name=f"held-out bits a byte, {domain}")


def model_card(training: Training, shipped: ShippedModel) -> str:
    """The card that goes with the weights."""
    recipe, about = training.recipe, training.versions()
    total, active = training.model.parameter_counts()
    cfg = recipe.model
    rows = "\n".join(
        f"| {d} | {float(training.record.validation[-1][i]):.3f} | {bits_per_byte(training, d).value:.2f} |"
        for i, d in enumerate(DOMAINS)
    )
    feed_forward = (
        f"{cfg.n_routed_experts} routed experts (top {cfg.num_experts_per_tok}, {cfg.n_group} groups, "
        f"{cfg.topk_group} kept), {cfg.n_shared_experts} shared; first layer dense"
        if cfg.n_routed_experts
        else f"dense, inner size {cfg.intermediate_size}"
    )
    return f"""# {shipped.name}

{shipped.summary[0].upper() + shipped.summary[1:]}. It exists to be looked into: the lectures draw its tensors.

- {total:,} parameters, {active:,} active for a token; {cfg.num_hidden_layers} layers of width {cfg.hidden_size},
  attention {cfg.attention}, feed-forward {feed_forward}.
- Tokenizer: byte-level BPE of {cfg.vocab_size} tokens, digits alone (`tokenizer.json`).

## Text and licence
Sources and docstrings of Python {about["python"]}'s standard library and its language topics (PSF licence); English and
German sentences and sums from grammars written for this project (MIT). Four domains, equal shares in each step.
SHA-256 of the corpus: `{about["corpus"]}`.
Another version of Python has another library, so training there gives other weights. The weights are under the
project's licence (MIT).

## Recipe
`explain train {shipped.name}`: seed {recipe.seed}, {recipe.steps} steps of {recipe.rows} × {recipe.length} tokens
({recipe.tokens:,} tokens), {recipe.optimizer}, peak learning rate {recipe.lr:g}, {recipe.warmup} warm-up steps, then a
cosine down to 5 %. {_balance_line(recipe)}torch {about["torch"]}, {about["seconds"] / 60:.0f} minutes on one CPU core
shared with other work.

## Held-out loss: {training.final_loss:.3f} nats a token
| domain | nats a token | bits a byte |
|---|---|---|
{rows}

The loss curve is in `training.safetensors`.

## What it cannot do
It continues text with words that fit locally; it does not hold a thought for a sentence. It has not learnt arithmetic:
it knows what a sum looks like, not what it comes to. It knows no facts and follows no instruction. Text unlike the four
domains (other languages, other scripts) is read byte by byte. What its experts or its latents show is true of this
model and of its size; that large models do likewise is for the cited papers to say.
"""


def _balance_line(recipe: Recipe) -> str:
    if not recipe.model.n_routed_experts:
        return ""
    mtp = f", MTP loss weight {recipe.mtp_weight}" if recipe.model.num_nextn_predict_layers else ""
    return f"Balance: {recipe.balance} (speed {recipe.bias_speed}){mtp}. "
