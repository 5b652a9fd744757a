"""The networks, and what varies their input."""
