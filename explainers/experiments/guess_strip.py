"""One beginning written on with the drafting head, pass by pass: what was guessed, what stood, what was written."""

from __future__ import annotations

import time
from dataclasses import replace

import torch

from explainers.errors import ExplainError
from explainers.experiments.common import DEFAULT_TEXT, named, read_sentence, versions
from explainers.experiments.mtp import mtp_reader
from explainers.quantities import computed
from explainers.speculative import decode, decode_plainly
from explainers.traces import Trace
from explainers.training import one_thread


def guess_strip(*, text: str = DEFAULT_TEXT, count: int = 20, source: str = "small", device: str = "cpu") -> Trace:
    """``count`` tokens written greedily after the text; the text without guessing is the same (checked).

    Arrays: ``prompt`` (token) ids of the text; ``written`` (token): the number of the pass that wrote it;
    ``stood`` (pass): 1 if the guess that the pass checked stood, 0 if it fell, −1 where there was none (the first).
    Labels: what the tokens look like; of ``pass``, the guess.
    """
    begin = time.perf_counter()
    model, tokenizer, ids, tokens = read_sentence(text, source, device)
    if not model.cfg.num_nextn_predict_layers:
        raise ExplainError(f"the model {source!r} has no MTP layer; give one that has, such as small")
    prompt, read = ids[0].tolist(), mtp_reader(model)
    with one_thread(), torch.no_grad():
        result, plain = decode(prompt, count, read), decode_plainly(prompt, count, read)
    if result.tokens != plain.tokens:
        raise ExplainError("greedy text with guesses differs from the plain one; speculative decoding is broken")
    owner = [number for number, each in enumerate(result.log) for _ in each.written]
    stood = [-1 if each.guess is None else int(each.stands) for each in result.log]
    guesses = tuple("" if each.guess is None else tokenizer.display(each.guess) for each in result.log)
    written = tuple(tokenizer.display(token) for token in result.tokens)
    arrays = {
        "prompt": named(torch.tensor(prompt), "token", token=tokens),
        "written": named(torch.tensor(owner), "token", token=written),
        "stood": replace(named(torch.tensor(stood), "pass"), labels={"pass": guesses}),
    }
    numbers = {
        "tokens": computed(len(written), "token", "written after the text"),
        "passes": computed(result.passes, "", "passes of the main model", name="passes"),
        "guesses": computed(result.guesses, "", "guesses checked", name="guesses"),
        "stood": computed(result.accepted, "", "guesses that stood", name="guesses that stood"),
        "tokens_per_pass": computed(len(written) / result.passes, "token", "tokens written / passes"),
    }
    params = {"text": text, "count": count, "source": source}
    return Trace("guess_strip", arrays, numbers, params, 0, device, versions(begin))
