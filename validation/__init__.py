"""Compare each algorithm with the truth: ``python -m validation`` writes docs/validation.md."""
