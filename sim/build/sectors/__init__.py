"""Input-output tables of sectors: read, shared out to firms, balanced."""
