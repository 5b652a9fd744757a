"""Widgets that draw state and emit intent, nothing else. What is set from outside is shown and emits nothing."""
