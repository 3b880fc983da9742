"""The phases of a month, one file each, in the order in which they happen."""
