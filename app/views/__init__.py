"""Widgets that draw state and emit intent. What is set from outside is shown and emits nothing."""
