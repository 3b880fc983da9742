"""Data that comes with the model: sets of parameters that a calibration found."""
