"""Pages written from what the code declares: settings, instruments, regions, portfolios, figures."""
