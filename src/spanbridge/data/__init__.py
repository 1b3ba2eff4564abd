"""The formats: CoNLL, plain text, links and JSON lines; files are streamed, rows checked."""
