"""Numbers of models by name: every reference resolves, explains itself, and a wrong one names the fix."""

import pytest

from explainers import caching, configs, references, sizes
from explainers.errors import ExplainError
from explainers.formatting import shown_matches
from explainers.quantities import Cited, Computed


@pytest.mark.parametrize("key", configs.MODELS)
def test_every_reference_resolves_to_a_quantity_of_that_name(key):
    names = configs.names(key)
    assert len(names) == len(set(names)) > 40
    for name in names:
        quantity = references.resolve(name)
        assert quantity.key == name
        assert quantity.name
        assert shown_matches(quantity.text(), quantity), name


def test_numbers_explain_themselves_down_to_the_sources():
    def leaves(quantity):
        if isinstance(quantity.origin, Cited):
            yield quantity
        elif isinstance(quantity.origin, Computed):
            for source in quantity.origin.inputs:
                yield from leaves(source)

    cited = {leaf.key for leaf in leaves(configs.quantity("v3.kv_bytes_128k"))}
    assert cited == {"v3.layers", "v3.kv_lora_rank", "v3.qk_rope_head_dim"}
    assert {leaf.origin.key for leaf in leaves(configs.quantity("v3.total_params"))} >= {"models.v3.routed_experts"}
    text = configs.quantity("v3.mla_vs_mha").explain()
    assert "kv_lora_rank + qk_rope_head_dim" in text
    assert "arXiv 2412.19437" in text


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("v33.layers", "unknown model 'v33'; did you mean v3"),
        ("v3.kv_bytes_per_tokn", "unknown number of model v3 .* did you mean kv_bytes_per_token"),
        ("v3.", "unknown number"),
        ("tokens.5k", "unknown context length"),
        ("llama_8b.mla_vs_mha", "unknown number"),
    ],
)
def test_wrong_references_name_the_fix(reference, message):
    with pytest.raises(ExplainError, match=message):
        configs.quantity(reference)


def test_wrong_arguments_name_the_fix():
    with pytest.raises(ExplainError, match="unknown attention 'mhaa'; did you mean mha"):
        configs.cache_bytes("v3", "mhaa", "4k")
    with pytest.raises(ExplainError, match="mla is not counted for"):
        configs.cache_bytes("llama_8b", "mla", "4k")
    with pytest.raises(ExplainError, match="a context of -1 tokens"):
        configs.cache_bytes("v3", "own", -1)
    with pytest.raises(ExplainError, match="keeps unlike layers"):
        caching.values_per_layer(configs.config("v4_pro"))
    with pytest.raises(ExplainError, match="unknown size"):
        sizes.config("v3").size("kv_lora")


def test_configs_do_not_need_torch():
    import subprocess
    import sys

    code = (
        "import sys; from explainers import configs; configs.quantity('v3.mla_vs_mha'); print('torch' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "False"
