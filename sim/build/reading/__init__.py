"""Strict reading of a researcher's own network files."""
