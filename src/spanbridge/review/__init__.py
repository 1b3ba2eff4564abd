"""The page on which a person corrects a result, its journal, and what two annotators agree in."""
