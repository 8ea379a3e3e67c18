"""What eight bits cost: rounding error of the trained model's tensors, and its loss when products are rounded."""

from __future__ import annotations

import math
import time

import torch
from torch import Tensor

from explainers import shipping
from explainers.batches import DOMAINS, Data
from explainers.experiments.common import named, versions
from explainers.fp8 import FORMATS, RoundedProducts, Rounding, quantise, relative_error, rounded
from explainers.model import Model, load_shipped
from explainers.quantities import Quantity, computed
from explainers.traces import NamedArray, Trace
from explainers.training import one_thread, token_loss

#: What is tried; "V3's recipe" is the one of the paper.
ROUNDINGS = {
    "bf16": Rounding("bf16"),
    "V3's recipe": Rounding(),
    "weights only": Rounding(activations=False),
    "blocks of 32": Rounding(block=32),
    "one scale a tensor": Rounding(block=None),
    "e5m2": Rounding("e5m2"),
}
EXACT = "float32"


def quantisation(*, windows: int = 4, length: int = 256, source: str = "small", device: str = "cpu") -> Trace:
    """Relative error of every weight and of the activations it meets, and the held-out loss, for each kind of rounding.

    All linear layers of attention and experts are rounded; embedding, output head, gate and norms are not (V3 section
    3.3.1). The rounding is simulated in float32: sums are exact, the factors are what eight bits hold.
    """
    begin = time.perf_counter()
    model, _ = load_shipped(source, device)
    weights = linear_weights(model)
    data = shipping.data()
    with one_thread(), torch.no_grad():
        losses = [_losses(model, data, windows, length)]
        weight_errors, activation_errors = [], []
        for rounding in ROUNDINGS.values():
            products = RoundedProducts(weights.values(), rounding)
            with products:
                losses.append(_losses(model, data, windows, length))
            weight_errors.append([_weight_error(weight, rounding) for weight in weights.values()])
            activation_errors.append([sum(e) / len(e) for e in products.errors.values()])
    kinds, names = tuple(ROUNDINGS), tuple(weights)
    arrays = {
        "loss": named(
            torch.tensor(losses), "rounding", "domain", unit="nat/token", rounding=(EXACT, *kinds), domain=DOMAINS
        ),
        "weight_error": named(torch.tensor(weight_errors), "rounding", "weight", rounding=kinds, weight=names),
        "activation_error": named(torch.tensor(activation_errors), "rounding", "weight", rounding=kinds, weight=names),
        **_example(next(iter(weights.values()))),
    }
    params = {"windows": windows, "length": length, "source": source}
    return Trace("quantisation", arrays, _numbers(arrays, weights), params, 0, device, versions(begin))


def linear_weights(model: Model) -> dict[str, Tensor]:
    """The weights whose products are rounded, by name: matrices of attention and feed-forward layers, no gates."""
    kept = ("embed_tokens", "lm_head", "mlp.gate.", "eh_proj")
    layers = [f"model.layers.{number}." for number in range(model.cfg.num_hidden_layers)]
    return {
        name: parameter
        for name, parameter in model.named_parameters()
        if parameter.ndim >= 2 and any(name.startswith(layer) for layer in layers) and not any(k in name for k in kept)
    }


def _losses(model: Model, data: Data, windows: int, length: int) -> list[float]:
    """Held-out cross-entropy by domain."""
    losses = []
    for domain in DOMAINS:
        inputs, targets = (part.to(model.device) for part in data.held_out(domain, length, windows))
        losses.append(token_loss(model(inputs).logits, targets).item())
    return losses


def _weight_error(weight: Tensor, rounding: Rounding) -> float:
    """Relative error of a matrix, or of a stack of experts' matrices each rounded by itself."""
    matrices = weight.unbind() if weight.ndim == 3 else (weight,)
    seen = torch.stack([rounded(matrix, rounding, weight=True) for matrix in matrices])
    return relative_error(torch.stack(list(matrices)), seen)


def _example(weight: Tensor) -> dict[str, NamedArray]:
    """Sixteen by sixteen values of a real weight, their block's scale, and what E4M3 makes of them."""
    codes, scales = quantise(weight, 128, 128, FORMATS["e4m3"])
    corner = slice(0, 16)
    every = torch.arange(256, dtype=torch.uint8).view(torch.float8_e4m3fn).float()
    return {
        "example_weight": named(weight[corner, corner], "row", "column"),
        "example_code": named(codes[corner, corner].float(), "row", "column"),
        "example_rounded": named(codes[corner, corner].float() * scales[0, 0], "row", "column"),
        "example_scale": named(scales[:1, 0], "block"),
        "e4m3_values": named(every[every.isfinite()].sort().values, "code"),
    }


def _numbers(arrays: dict[str, NamedArray], weights: dict[str, Tensor]) -> dict[str, Quantity]:
    mean = arrays["loss"].values.mean(axis=1)
    numbers = {"loss_float32": computed(float(mean[0]), "nat/token", "held-out cross-entropy, mean of the domains")}
    names = ("bf16", "v3", "weights_only", "blocks_32", "one_scale", "e5m2")
    for index, (short, kind) in enumerate(zip(names, ROUNDINGS, strict=True)):
        numbers[f"loss_increase_{short}"] = computed(
            float(mean[index + 1] - mean[0]), "nat/token", f"held-out loss with {kind} less that in float32"
        )
        numbers[f"loss_change_{short}"] = computed(
            float(mean[index + 1] / mean[0] - 1), "", f"held-out loss with {kind} over that in float32, less 1"
        )
        numbers[f"weight_error_{short}"] = computed(
            float(arrays["weight_error"].values[index].mean()),
            "",
            f"‖rounded − exact‖ / ‖exact‖, mean of weights, {kind}",
        )
    numbers["activation_error_v3"] = computed(
        float(arrays["activation_error"].values[1].mean()), "", "‖rounded − exact‖ / ‖exact‖, mean over layers' inputs"
    )
    numbers["largest_code"] = computed(448, "", "largest magnitude in E4M3: 1.75 × 2^8")
    numbers["values"] = computed(arrays["e4m3_values"]["code"], "value", "finite codes of E4M3, both zeros counted")
    count = sum(weight.numel() for weight in weights.values())
    blocks = sum(_blocks(weight) for weight in weights.values())
    numbers["bytes_ratio"] = computed(
        (count + 4 * blocks) / (2 * count), "", "one byte a weight and four a block's scale, over two bytes a weight"
    )
    return numbers


def _blocks(weight: Tensor) -> int:
    """Blocks of 128 × 128 in a matrix or a stack of them."""
    rows, columns = weight.shape[-2:]
    return (weight.numel() // (rows * columns)) * math.ceil(rows / 128) * math.ceil(columns / 128)
