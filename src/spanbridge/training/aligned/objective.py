"""What the aligned encoder is trained for: soft alignments in which gold spans find each other.

P and Q are the forward and backward mass that projection uses (:mod:`spanbridge.alignment.soft`),
computed from the encoder's states with torch. Three losses are added:

- *inside*: the mass of a span's words that arrives in the other span, as in block supervision of
  word alignment, and what comes from outside does not;
- *choice*: of all candidates up to ``MAX_CANDIDATE`` words, the gold span has the greatest soft
  score (softmax of the score / ``CHOICE_TEMPERATURE``);
- *links*: links of the fused aligner keep their mass, so that words outside spans stay aligned
  (self-training, as Dou and Neubig 2021, section 2.2, but with links that lexicons support).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from spanbridge.alignment.soft import NEIGHBOURS, TEMPERATURE
from spanbridge.training.aligned.examples import Bitext, Ints

Tensor = torch.Tensor
MAX_CANDIDATE = 12
CHOICE_TEMPERATURE = 0.1
LEAST = 1e-6
# Words that one subword may cover, in scripts without spaces.
MAX_COVERED = 4


@dataclass(frozen=True)
class LossWeights:
    """Weights of the losses.

    Attributes:
        inside, outside: mass of spans; mass from outside of them.
        choice: the gold span among candidates.
        links: links of the fused aligner.
    """

    inside: float = 1.0
    outside: float = 0.3
    choice: float = 1.0
    links: float = 0.5


class Batch:
    """Some pairs of a bitext as padded tensors on a device."""

    def __init__(self, bitext: Bitext, numbers: Ints, device: str, special: tuple[int, int, int]):
        self.device = device
        self.n_words = torch.as_tensor(bitext.n_words[numbers], device=device)
        self.subwords = {
            side: _padded(bitext, side, numbers, device) for side in ("source", "target")
        }
        self.spans = _rows(bitext, "spans", numbers, device).long()
        self.links = _rows(bitext, "links", numbers, device)
        self.special = special  # ids that open, close and pad

    def word_states(self, encoder: Any, side: str) -> Tensor:
        """Unit vectors of words, as :func:`spanbridge.alignment.soft.word_states`."""
        found, mask = self.subwords[side]
        lengths = mask.sum(1)
        opens, closes, pads = self.special
        inputs = torch.full((len(found), found.shape[1] + 2), pads, device=self.device)
        inputs[:, 0] = opens
        inputs[:, 1:-1] = torch.where(mask, found[..., 0], pads)
        here = torch.arange(len(found), device=self.device)
        inputs[here, lengths + 1] = closes
        attention = torch.arange(inputs.shape[1], device=self.device) < (lengths + 2)[:, None]
        states = encoder(input_ids=inputs, attention_mask=attention.long()).last_hidden_state
        inside = states[:, 1:-1].float() * mask[..., None]
        centred = (inside - inside.sum(1, keepdim=True) / lengths[:, None, None]) * mask[..., None]
        n = int(self.n_words[:, ("source", "target").index(side)].max())
        sums = centred.new_zeros((len(found), n + 1, centred.shape[2]))
        first, last = found[..., 1], found[..., 2]
        for step in range(MAX_COVERED):
            at = torch.where(mask & (first + step < last), first + step, n)
            sums = sums.scatter_add(1, at[..., None].expand_as(centred), centred)
        return functional.normalize(sums[:, :n], dim=-1, eps=LEAST)


def _padded(bitext: Bitext, part: str, numbers: Ints, device: str) -> tuple[Tensor, Tensor]:
    rows, begins = bitext.parts[part]
    lengths = begins[numbers + 1] - begins[numbers]
    steps = np.arange(lengths.max())
    at = np.minimum(begins[numbers][:, None] + steps, len(rows) - 1)
    mask = steps < lengths[:, None]
    return torch.as_tensor(rows[at], device=device), torch.as_tensor(mask, device=device)


def _rows(bitext: Bitext, part: str, numbers: Ints, device: str) -> Tensor:
    """All rows of a part, each with the pair's place in the batch before it."""
    rows, begins = bitext.parts[part]
    lengths = begins[numbers + 1] - begins[numbers]
    at = np.concatenate([np.arange(begins[n], begins[n + 1]) for n in numbers])
    owner = np.repeat(np.arange(len(numbers)), lengths)
    return torch.as_tensor(np.column_stack([owner, rows[at]]), device=device)


def masses(encoder: Any, batch: Batch) -> tuple[Tensor, Tensor]:
    """P and Q, [batch, source words, target words], with the mass of neighbours moved."""
    source, target = (batch.word_states(encoder, side) for side in ("source", "target"))
    counts = batch.n_words
    real = [
        torch.arange(states.shape[1], device=batch.device) < counts[:, side : side + 1]
        for side, states in enumerate((source, target))
    ]
    logits = source @ target.transpose(1, 2) / TEMPERATURE
    low = torch.finfo(torch.float32).min / 2
    forward = logits.masked_fill(~real[1][:, None], low).softmax(2) * real[0][:, :, None]
    backward = logits.masked_fill(~real[0][:, :, None], low).softmax(1) * real[1][:, None]
    return _with_neighbours(forward, backward)


def _with_neighbours(forward: Tensor, backward: Tensor) -> tuple[Tensor, Tensor]:
    """As :func:`spanbridge.alignment.soft.with_neighbours`, for a batch."""
    mass = functional.pad((forward * backward + LEAST**2).sqrt(), (1, 1, 1, 1))
    support = mass[:, :-2, :-2] + mass[:, 2:, 2:]
    beside = mass[:, :-2, 1:-1] + mass[:, 2:, 1:-1] + mass[:, 1:-1, :-2] + mass[:, 1:-1, 2:]
    weight = 1 + NEIGHBOURS * (support + 0.5 * beside)
    moved = forward * weight, backward * weight
    rows = forward.sum(2) / moved[0].sum(2).clamp(min=LEAST)
    columns = backward.sum(1) / moved[1].sum(1).clamp(min=LEAST)
    return moved[0] * rows[:, :, None], moved[1] * columns[:, None]


def loss(encoder: Any, batch: Batch, weights: LossWeights) -> Tensor:
    """The weighted sum of the losses of a batch."""
    forward, backward = masses(encoder, batch)
    total = forward.new_zeros(())
    if len(batch.spans):
        total = total + _of_spans(forward, backward, batch, weights)
    if len(batch.links):
        owner, i, j = batch.links[:, :3].long().T
        both = forward[owner, i, j] * backward[owner, i, j]
        mass = batch.links[:, 3]
        kept = -(mass * both.clamp(min=LEAST).log()).sum() / mass.sum()
        total = total + weights.links * kept
    return total


def _of_spans(forward: Tensor, backward: Tensor, batch: Batch, weights: LossWeights) -> Tensor:
    owner, e_start, e_end, c_start, c_end = batch.spans.T
    n_source, n_target = batch.n_words[owner].T
    at = [torch.arange(size, device=batch.device) for size in forward.shape[1:]]
    entity = (at[0] >= e_start[:, None]) & (at[0] < e_end[:, None])
    candidate = (at[1] >= c_start[:, None]) & (at[1] < c_end[:, None])
    # mass of each source word in the candidate, and of each target word in the entity
    went = torch.einsum("snm,sm->sn", forward[owner], candidate.float())
    came = torch.einsum("snm,sn->sm", backward[owner], entity.float())
    total = forward.new_zeros(())
    for mass, inside, n in ((went, entity, n_source), (came, candidate, n_target)):
        real = torch.arange(mass.shape[1], device=batch.device) < n[:, None]
        size = inside.sum(1)
        lost = -(mass.clamp(min=LEAST).log() * inside).sum(1) / size
        leaked = -((1 - mass).clamp(min=LEAST).log() * (real & ~inside)).sum(1) / size
        total = total + (weights.inside * lost + weights.outside * leaked).mean()
    arrived = torch.einsum("snm,sn->sm", forward[owner], entity.float()) / entity.sum(1)[:, None]
    return total + weights.choice * _choice(arrived, came, c_start, c_end, n_target)


def _choice(arrived: Tensor, came: Tensor, start: Tensor, end: Tensor, n: Tensor) -> Tensor:
    """Cross-entropy of the gold span among all candidates, by the soft score."""
    sums = [functional.pad(x.cumsum(1), (1, 0)) for x in (arrived, came)]

    def score(first: Tensor, last: Tensor) -> Tensor:
        recall, precise = (s.gather(1, last) - s.gather(1, first) for s in sums)
        share = precise / (last - first).clamp(min=1)
        return 2 * recall * share / (recall + share).clamp(min=LEAST)

    size = arrived.shape[1]
    first = torch.arange(size, device=start.device).repeat_interleave(MAX_CANDIDATE)
    last = first + torch.arange(1, MAX_CANDIDATE + 1, device=start.device).repeat(size)
    first, last = first[None].expand(len(start), -1), last[None].expand(len(start), -1)
    wrong = (last <= n[:, None]) & ((first != start[:, None]) | (last != end[:, None]))
    low = torch.finfo(torch.float32).min / 2
    others = score(first, last.clamp(max=size)).masked_fill(~wrong, low)
    own = score(start[:, None], end[:, None])
    logits = torch.cat([own, others], 1) / CHOICE_TEMPERATURE
    return -logits.log_softmax(1)[:, 0].mean()
