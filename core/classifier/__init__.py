"""The weakly supervised baseline: a classifier that knows folder names, read by the same heat maps."""
