"""Pages for developers, written from the code itself: which room imports which."""
