"""Data that come with the model: sets of parameters from the calibration."""
