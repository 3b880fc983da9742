"""Simulate, measure, keep: arms × replicates, and where each figure came from."""
