"""Builders of supply networks: from a file, from figures of the literature, from an input-output table, from a region."""
