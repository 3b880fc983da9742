"""How fast the simulator is: `python -m benchmarks`, or `make bench`."""
