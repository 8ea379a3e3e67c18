"""From the dotted name in a script to a Quantity.

``run.<run>.<number>``        a key number of a run
``fact.<file>.<entry>.<field>`` a cited figure from ``assets/facts``
``<model>.<number>``          a number derived from a model's configuration (``v3.kv_bytes_per_token``)
"""

from __future__ import annotations

from explainers.errors import ExplainError
from explainers.quantities import Quantity


def resolve(reference: str) -> Quantity:
    """The Quantity that a script or a scene names; an unknown name is an `ExplainError` with the closest ones."""
    head, _, rest = reference.partition(".")
    if not rest:
        raise ExplainError(
            f"cannot read the reference {reference!r}; write <model>.<number>, fact.<file>.<entry>.<field> "
            "or run.<run>.<number>"
        )
    if head == "run":
        from explainers import runs

        return runs.quantity(rest)
    if head == "fact":
        from explainers import facts

        return facts.quantity(rest)
    from explainers import configs

    return configs.quantity(reference)
