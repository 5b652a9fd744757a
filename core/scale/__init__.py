"""The same work over many workers."""
