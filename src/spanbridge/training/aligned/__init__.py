"""Training of the aligned encoder: the embedded encoder, tuned for word alignment."""
