"""The whole product without a window: nothing in here imports Qt."""

__version__ = "0.1.0"
