"""Project the labels of one sentence onto its translation, in Python."""

from spanbridge import EncoderAligner, GreedyProjector, Sentence, SentencePair, Span

pair = SentencePair(
    id="1",
    source=Sentence(
        words=("Angela", "Merkel", "visited", "Paris", "yesterday", "."),
        spans=(Span(0, 2, "PER"), Span(3, 4, "LOC")),
    ),
    target=Sentence(("Gestern", "besuchte", "Angela", "Merkel", "Paris", ".")),
)
[links] = EncoderAligner().align([pair])
projection = GreedyProjector().project(pair.source.spans, links)
for start, end, label, score in projection.spans:
    print(label, " ".join(pair.target.words[start:end]), round(score, 2))
