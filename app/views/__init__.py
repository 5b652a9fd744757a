"""Widgets that draw state and emit intent, nothing else."""
