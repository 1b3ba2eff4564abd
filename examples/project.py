"""Project labels onto translations, in Python: one sentence, then whole files.

python project.py
python project.py en.conll de.txt
"""

import sys

from spanbridge import Projector, Sentence, SentencePair, Span, read_pairs


def show(pair: SentencePair) -> None:
    """Print the spans of the target, each with its confidence; without any, the reason."""
    for start, end, label, confidence, _ in pair.target.spans:
        print(pair.id, label, pair.target.text_of(start, end), round(confidence or 0.0, 2))
    if not pair.target.spans:
        print(pair.id, pair.status)


pair = SentencePair(
    id="1",
    source=Sentence(
        words=("Angela", "Merkel", "visited", "Paris", "yesterday", "."),
        spans=(Span(0, 2, "PER"), Span(3, 4, "LOC")),
    ),
    target=Sentence(("Gestern", "besuchte", "Angela", "Merkel", "Paris", ".")),
)
projector = Projector("greedy")
show(projector(pair))

if len(sys.argv) == 3:
    # the default method learns from the whole bitext; every row comes out, rejected ones too
    result = Projector().fit_run(read_pairs(*sys.argv[1:]))
    for row in result:
        show(row)
    print(result.account.text())
