import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from explainers.errors import ExplainError
from explainers.fp8 import FORMATS, RoundedProducts, Rounding, dequantise, quantise, relative_error, rounded

E4M3 = FORMATS["e4m3"]


def e4m3_values():
    """All magnitudes of E4M3 from its definition: 4 exponent bits, bias 7, 3 fraction bits, no infinities."""
    normal = [(1 + m / 8) * 2.0 ** (e - 7) for e in range(1, 16) for m in range(8) if (e, m) != (15, 7)]
    return np.array([m / 8 * 2.0**-6 for m in range(8)] + normal)


def test_every_block_is_scaled_to_the_largest_code_and_rounded_to_the_nearest_value():
    x = torch.randn(6, 10, generator=torch.Generator().manual_seed(0)) * 3
    codes, scales = quantise(x, 4, 4, E4M3)
    assert scales.shape == (2, 3) and codes.shape == x.shape
    grid = e4m3_values()
    grid = np.concatenate((-grid, grid))
    for row in range(6):
        for column in range(10):
            block = x[row // 4 * 4 : row // 4 * 4 + 4, column // 4 * 4 : column // 4 * 4 + 4]
            scale = block.abs().max().item() / 448
            assert scales[row // 4, column // 4].item() == pytest.approx(scale, rel=1e-6)
            exact = x[row, column].item() / scale
            nearest = grid[np.abs(grid - exact).argmin()]
            assert abs(codes[row, column].item() - exact) <= abs(nearest - exact) * 1.0001 + 1e-6


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 5), st.integers(1, 5), st.integers(0, 1000))
def test_the_error_of_a_value_is_at_most_a_sixteenth_of_it(height, width, rows, columns, seed):
    x = torch.randn(height, width, generator=torch.Generator().manual_seed(seed))
    codes, scales = quantise(x, rows, columns, E4M3)
    back = dequantise(codes, scales, rows, columns)
    floor = 2.0**-10 * scales.max()  # half of the smallest step, below the normal range
    assert ((back - x).abs() <= x.abs() / 16 * 1.0001 + floor).all()


def test_blocks_hold_outliers_that_one_scale_does_not():
    x = torch.rand(256, 256, generator=torch.Generator().manual_seed(0)) * 1e-5
    x[0, 0] = 1.0
    one = relative_error(x[1:], rounded(x, Rounding(block=None), weight=True)[1:])
    blocks = relative_error(x[128:], rounded(x, Rounding(block=128), weight=True)[128:])
    assert one > 0.2 and blocks < 0.04


def test_zeros_stay_zeros():
    codes, scales = quantise(torch.zeros(3, 5), 2, 2, E4M3)
    assert (codes.float() == 0).all() and (scales == 1).all()


def test_activations_are_scaled_token_by_token():
    x = torch.tensor([[1.0, 0.3], [100.0, 30.0]])
    seen = rounded(x[None], Rounding(block=128), weight=False)[0]
    torch.testing.assert_close(seen[1], 100 * seen[0])


def test_only_chosen_products_are_rounded():
    generator = torch.Generator().manual_seed(1)
    chosen, other = (torch.randn(8, 8, generator=generator) for _ in range(2))
    x = torch.randn(4, 8, generator=generator)
    rounding = Rounding(block=4)
    with RoundedProducts([chosen], rounding) as mode:
        got, same = F.linear(x, chosen[:5]), F.linear(x, other)
    expected = rounded(x, rounding, weight=False) @ rounded(chosen[:5], rounding, weight=True).T
    torch.testing.assert_close(got, expected)
    assert torch.equal(same, F.linear(x, other))
    assert len(mode.errors[0]) == 1 and 0 < mode.errors[0][0] < 0.05
    assert not torch.equal(got, F.linear(x, chosen[:5]))


def test_coarser_formats_err_more():
    x = torch.randn(64, 64, generator=torch.Generator().manual_seed(2))
    errors = [relative_error(x, rounded(x, Rounding(kind), weight=True)) for kind in ("bf16", "e4m3", "e5m2")]
    assert errors[0] * 8 < errors[1] and errors[1] * 1.7 < errors[2]


def test_unknown_formats_are_refused_by_name():
    with pytest.raises(ExplainError, match="unknown number format 'e4m4'"):
        Rounding("e4m4")
    with pytest.raises(ExplainError, match="block is 0"):
        Rounding(block=0)
