"""The books: payments between sectors, and who owns and owes what."""
