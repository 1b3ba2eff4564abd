"""Training of token classifiers: fine-tuning, teachers, adversarial alignment. Requires torch."""
