"""Builders of supply networks: from a file, from figures of the literature, from a region."""
