"""Observed patterns, how a world is held against them, and the search for parameters that show them."""
