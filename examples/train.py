"""Train a tagger and tag with it, in Python: python train.py train.conll dev.conll OUT [ENCODER]"""

import sys

from spanbridge.tagging.checkpoint_tagger import CheckpointTagger
from spanbridge.training.fine_tuning import train
from spanbridge.training.settings import Settings
from spanbridge.training.training_sets import Filter, read_set

labelled, dev, output, *encoder = sys.argv[1:]
# of .jsonl that `spanbridge project` wrote, the filter takes rows whose spans were all projected
sets = [read_set(labelled, keep=Filter(complete=True))]
done = train(
    sets,
    output,
    encoder=encoder[0] if encoder else "multilingual-e5-small",
    settings=Settings(epochs=2, average=0.4),
    dev=dev,
)
print(done.scores[0].text())

tagger = CheckpointTagger(output)  # CTranslate2: no torch from here on
[found] = tagger.tag([("Angela", "besucht", "Berlin")])
print("Angela besucht Berlin:", len(found.spans), "spans")
for start, end, label, score, _ in found.spans:
    print(start, end, label, score)
