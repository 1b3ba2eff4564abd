"""Word aligners: sentence pairs in, links with scores out."""
