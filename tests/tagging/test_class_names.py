"""Class names of taggers: spellings that tell, names that are given, and refusals."""

import pytest

from spanbridge import SpanbridgeError
from spanbridge.tagging.base import SchemeMap
from spanbridge.tagging.checkpoint_tagger import CheckpointTagger
from spanbridge.tagging.class_names import standard_names
from spanbridge.tagging.transformers_tagger import TransformersTagger


@pytest.mark.parametrize(
    ("classes", "names", "scheme"),
    [
        ("O B-PER I-PER", "O B-PER I-PER", "iob2"),
        ("O I-PER I-LOC", "O I-PER I-LOC", "iob1"),
        ("O PER LOC", "O I-PER I-LOC", "iob1"),
        ("O B_PER I_PER", "O B-PER I-PER", "iob2"),
        ("O b_PER_SON i_PER_SON", "O B-PER_SON I-PER_SON", "iob2"),
        ("O PER-B PER-I", "O B-PER I-PER", "iob2"),
        ("0 B-PER I-PER", "O B-PER I-PER", "iob2"),
        ("o b-per i-per", "O B-per I-per", "iob2"),
        ("O B-PER I-PER L-PER U-PER", "O B-PER I-PER L-PER U-PER", "bioes"),
        ("O B-PER M-PER E-PER S-PER", "O B-PER M-PER E-PER S-PER", "bioes"),
        ("O B-A M-A E-A W-A", "O B-A M-A E-A W-A", "bioes"),
        ("O PER-B PER-M PER-E PER-S", "O B-PER M-PER E-PER S-PER", "bioes"),
    ],
)
def test_spellings(classes, names, scheme):
    assert standard_names(classes.split()) == names.split()
    mapped = SchemeMap(classes.split())
    assert mapped.scheme == scheme
    assert mapped.classes[0] == "O"
    assert (mapped.description == scheme) == (classes == names)


@pytest.mark.parametrize(
    ("classes", "why"),
    [
        ("LABEL_0 LABEL_1 LABEL_2", "LABEL_0, LABEL_1, LABEL_2, which does not say .*classes=O,B-"),
        ("NOUN VERB", "have no O; .*option classes"),
        ("O B-PER I-PER PAD", "class 'PAD' is no tag such as B-PER; .*option classes"),
        ("O B-PER I-PER <unk>", "class '<unk>' is no tag"),
        ("O PER [CLS]", "class 'PER' is no tag"),
        ("O X-PER", "class 'X-PER' is no tag"),
        ("O PER LOC PAD", "class 'PER' is no tag"),
        ("O B.PER I.PER", "class 'B.PER' is no tag"),
        ("O B I", "class 'B' is no tag"),
        ("O LABEL_1", "class 'LABEL_1' is no tag"),
        ("O FULLNAME B_DATE", "class 'FULLNAME' is no tag"),
    ],
)
def test_refused(classes, why):
    """No foreign name becomes a label in silence, beside tags or with signs in it."""
    with pytest.raises(SpanbridgeError, match=why):
        SchemeMap(classes.split())


@pytest.mark.parametrize("make", [CheckpointTagger, TransformersTagger])
def test_names_that_are_given(tiny_tagger, make):
    """Both taggers; the signature holds them, and a second O takes what is no entity."""
    folder = str(tiny_tagger("bert-tagger", ("LABEL_0", "LABEL_1", "LABEL_2", "LABEL_3")))
    with pytest.raises(SpanbridgeError, match="by the tagger's option classes"):
        make(folder)
    tagger = make(folder, classes="O, B-PER,I-PER,O")
    assert tagger.classes == ("O", "B-PER", "I-PER")
    assert "iob2,classes=O,B-PER,I-PER,O)" in tagger.describe()
    [found] = tagger.tag([["Berlin", "fox"]])
    assert found.probabilities.sum(1) == pytest.approx([1, 1], abs=1e-5)
    with pytest.raises(SpanbridgeError, match="classes names 2 classes, but the model has 4"):
        make(folder, classes="O,B-PER")
