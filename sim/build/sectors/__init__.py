"""Input-output tables of sectors: reading, division between firms, balancing."""
