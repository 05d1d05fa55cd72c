"""Every algorithm against simulated truth: ``python -m validation`` writes docs/validation.md."""
