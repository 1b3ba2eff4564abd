"""Training token classifiers: fine-tuning, teachers, adversarial alignment. Needs torch."""
