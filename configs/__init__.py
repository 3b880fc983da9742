"""Configurations, as YAML. A package, so that the installed command finds them."""
