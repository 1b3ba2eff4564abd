"""The step that aligns words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from pydantic import PrivateAttr

from spanbridge.alignment.base import Aligner, checked
from spanbridge.alignment.cutting import parts
from spanbridge.core.errors import RowError
from spanbridge.core.links import WordAlignment
from spanbridge.core.progress import Progress, Task, silent
from spanbridge.core.rows import EMPTY, REJECTED, SentencePair
from spanbridge.steps import learning
from spanbridge.steps.account import Account
from spanbridge.steps.base import AlignerSettings, Context, PartSettings, Step
from spanbridge.steps.long_rows import batches, in_parts, joined_links


class Align(Step):
    """Find the links between the words of both sides, in place of any existing ones."""

    name: ClassVar[str] = "align"
    takes: ClassVar[tuple[str, ...]] = ("source_words", "target_words")
    makes: ClassVar[tuple[str, ...]] = ("links",)
    aligner: AlignerSettings = PartSettings("aligner", "fused")
    _aligner: Aligner = PrivateAttr()

    def open(self, context: Context) -> None:
        """Load the aligner."""
        self._aligner = self.build(context, self.aligner)

    def parts(self) -> dict[str, str]:
        """The aligner."""
        return {"aligner": self._aligner.describe()}

    @property
    def learns(self) -> bool:
        """True for aligners that learn from the bitext."""
        return self._aligner.learns

    def fit(self, rows: Sequence[SentencePair], progress: Progress = silent) -> None:
        """Fit the aligner."""
        parts = list(in_parts(rows, self._aligner))
        self._aligner.fit(progress(parts, Task("learn words", len(parts))))

    def save(self, folder: str | Path) -> None:
        """Save what the aligner has learned."""
        learning.save(folder, self.aligner, self._aligner, None, None)

    def load(self, folder: str | Path) -> None:
        """Restore what the aligner has learned."""
        learning.load(folder, self._aligner, None)

    def work(self, rows: Sequence[SentencePair], account: Account) -> Iterator[SentencePair]:
        """Rows with links."""
        for batch in batches(rows):
            for pair, found in zip(batch, self._links(batch, account), strict=True):
                if (failed := pair.failure) is not None:
                    account.enter(pair, failed)
                    yield pair.replace(links=None)
                elif isinstance(found, RowError):
                    status = f"{REJECTED}{found}"
                    account.enter(pair, status)
                    yield pair.replace(links=None).without_result()._replace(status=status)
                else:
                    account.statuses["aligned" if found.pairs else f"{EMPTY}no link"] += 1
                    yield pair.replace(links=found)

    def _links(
        self, rows: Sequence[SentencePair], account: Account
    ) -> Iterator[WordAlignment | RowError]:
        """Links of each row; long rows part by part."""
        cuts = [parts(row.replace(links=None), self._aligner) for row in rows]
        pairs = [part.pair for cut in cuts for part in cut]
        found = iter(checked(self._aligner, pairs, self._aligner.align(pairs)))
        for row, cut in zip(rows, cuts, strict=True):
            if len(cut) == 1:
                yield next(found)
            else:
                account.note("long_rows_cut_into_parts", 1)
                links = [next(found) for _ in cut]
                errors = (one for one in links if isinstance(one, RowError))
                good = [one for one in links if isinstance(one, WordAlignment)]
                yield next(errors, None) or joined_links(row, cut, good)
