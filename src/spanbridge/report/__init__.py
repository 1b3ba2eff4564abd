"""The page a linguist reads: sentence pairs, projected spans, links and gold, in one HTML file."""
