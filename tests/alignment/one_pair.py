"""Soft alignment of one pair, by matrices: what the flat arrays of a grid are compared with."""

from spanbridge.alignment import soft
from spanbridge.alignment.grid import Grid


def of_matrices(make, pair, *matrices):
    """What is made of the cells of one pair, as matrices."""
    grid = Grid([tuple(pair)])
    found = make(grid, *(grid.flat([matrix]) for matrix in matrices))
    return tuple(matrix for one in found for matrix in grid.matrices(one))


def word_states(sentence):
    """The words' vectors of one sentence."""
    [found] = soft.word_states([sentence])
    return found


def soft_links(similarity):
    n, m = similarity.shape
    return of_matrices(soft.soft_links, ("a" * n, "b" * m), similarity)


def with_neighbours(forward, backward):
    n, m = forward.shape
    return of_matrices(soft.with_neighbours, ("a" * n, "b" * m), forward, backward)


def posterior(lexicon, pair, prior):
    """Forward and backward mass by a lexicon."""
    return of_matrices(lexicon.posterior, pair, prior)
