"""From typed overrides and YAML to checked settings."""
