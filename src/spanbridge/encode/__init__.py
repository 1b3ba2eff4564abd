"""The multilingual encoder: weights, tokenizer and word states, without torch.

``load_encoder()`` loads the embedded multilingual-e5-small, ``load_encoder("path-or-hub-id")`` any
BERT, RoBERTa/XLM-R or DistilBERT encoder; both return an :class:`Encoder`.
"""

from spanbridge.encode.encoder import EncodedSentence, Encoder
from spanbridge.encode.load import load_encoder

__all__ = ["EncodedSentence", "Encoder", "load_encoder"]
