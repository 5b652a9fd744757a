"""What has to be there before the product can run.

``bootstrap``, ``requirements`` and ``system`` use the standard library alone.
"""
