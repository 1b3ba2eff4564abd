"""The flat arrays of several pairs against matrices, and that pairs know nothing of each other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanbridge.alignment import grid as module
from spanbridge.alignment.grid import Grid, grids

shapes = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=1, max_size=6)


def filled(some, seed):
    grid = Grid([("a" * n, "b" * m) for n, m in some])
    matrices = [np.random.default_rng(seed + k).uniform(0, 1, s) for k, s in enumerate(some)]
    return grid, matrices, grid.flat(matrices)


@given(shapes, st.integers(0, 99))
def test_sums_are_those_of_matrices(some, seed):
    grid, matrices, values = filled(some, seed)
    assert len(grid) == sum(n * m for n, m in some)
    rows = [matrix.sum(1) for matrix in matrices]
    columns = [matrix.sum(0) for matrix in matrices]
    np.testing.assert_allclose(grid.row_sums(values), np.concatenate(rows))
    np.testing.assert_allclose(grid.column_sums(values), np.concatenate(columns))
    whole = grid.pair_sums(np.concatenate(rows), np.concatenate(columns))
    np.testing.assert_allclose(whole, [2 * matrix.sum() for matrix in matrices])
    for one, matrix in zip(grid.matrices(values), matrices, strict=True):
        np.testing.assert_array_equal(one, matrix)


def test_cells_by_hand():
    """Two words beside one, then one beside two."""
    grid = Grid([(("a", "b"), ("x",)), (("c",), ("y", "z"))])
    assert grid.sides == (["a", "b", "c"], ["x", "y", "z"])
    assert grid.rows.tolist() == [0, 1, 2, 2]
    assert grid.columns.tolist() == [0, 0, 1, 2]
    np.testing.assert_allclose(grid.diagonal(), [0.25] * 4)
    diagonal, others = grid.beside(np.array([1.0, 2, 4, 8]))
    assert diagonal.tolist() == [0, 0, 0, 0]
    assert others.tolist() == [2, 1, 8, 4]


@given(shapes, st.integers(0, 99))
def test_neighbours_are_those_of_matrices(some, seed):
    grid, matrices, values = filled(some, seed)
    both = zip(*map(grid.matrices, grid.beside(values)), strict=True)
    for own, matrix in zip(both, matrices, strict=True):
        wide = np.pad(matrix, 1)
        np.testing.assert_allclose(own[0], wide[:-2, :-2] + wide[2:, 2:])
        cross = wide[:-2, 1:-1] + wide[2:, 1:-1] + wide[1:-1, :-2] + wide[1:-1, 2:]
        np.testing.assert_allclose(own[1], cross)


@given(shapes, st.integers(0, 99))
def test_a_pair_is_the_same_beside_others(some, seed):
    """To the last bit: what a row becomes does not depend on its batch."""
    grid, matrices, values = filled(some, seed)
    together = [grid.row_sums(values)[grid.rows], grid.column_sums(values)[grid.columns]]
    together += [*grid.beside(values), grid.diagonal()]
    for k, own in enumerate(zip(*map(grid.matrices, together), strict=True)):
        alone, _, cells = filled(some[k : k + 1], seed + k)
        apart = [alone.row_sums(cells)[alone.rows], alone.column_sums(cells)[alone.columns]]
        apart += [*alone.beside(cells), alone.diagonal()]
        for one, other in zip(own, apart, strict=True):
            np.testing.assert_array_equal(one.ravel(), other)


def test_groups(monkeypatch):
    """Neighbours go together while they fit; what is larger by itself stays alone."""
    monkeypatch.setattr(module, "MAX_CELLS", 10)
    pairs = [("a" * n, "b") for n in (4, 6, 1, 30, 2)]
    found = list(grids(pairs))
    assert [group for group, _ in found] == [[0, 1], [2], [3], [4]]
    assert [grid.shapes for _, grid in found] == [[(4, 1), (6, 1)], [(1, 1)], [(30, 1)], [(2, 1)]]
    assert [group for group, _ in grids(pairs, [4, 0, 2])] == [[4, 0, 2]]
    assert list(grids([])) == []


def test_an_empty_side_has_no_cells():
    with pytest.raises(ValueError, match="no side is empty"):
        Grid([(("a",), ())])
