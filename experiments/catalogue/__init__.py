"""What there is to set and to choose, as people read it: settings, portfolios, practices."""
