"""Networks and pixels to heat maps."""
