"""Boxes against the truth, always beside baselines that need no training."""
