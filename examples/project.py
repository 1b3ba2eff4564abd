"""Project labels onto translations, in Python: one sentence, then a file of pairs."""

import sys

from spanbridge import (
    CorpusMethod,
    EncoderAligner,
    FusedAligner,
    GreedyMethod,
    Sentence,
    SentencePair,
    Span,
    read_pairs,
)

pair = SentencePair(
    id="1",
    source=Sentence(
        words=("Angela", "Merkel", "visited", "Paris", "yesterday", "."),
        spans=(Span(0, 2, "PER"), Span(3, 4, "LOC")),
    ),
    target=Sentence(("Gestern", "besuchte", "Angela", "Merkel", "Paris", ".")),
)
[links] = EncoderAligner().align([pair])
projection = GreedyMethod().project(pair.source.spans, links)
for start, end, label, score in projection.spans:
    print(label, " ".join(pair.target.words[start:end]), round(score, 2))

# a whole bitext, which aligner and projector learn from: python project.py en.conll de.txt
if len(sys.argv) == 3:
    pairs = list(read_pairs(*sys.argv[1:]))
    aligner, projector = FusedAligner(), CorpusMethod()
    aligner.fit(pairs)
    evidence = aligner.evidence(pairs)  # a RowError in place of what could not be aligned
    rows = list(zip(pairs, evidence, strict=True))
    projector.fit(rows)
    for one, found in rows:
        for start, end, label, confidence in projector.project(one, found).spans:
            print(one.id, label, " ".join(one.target.words[start:end]), round(confidence, 2))
