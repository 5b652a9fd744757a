"""The user's work in one SQLite file."""
