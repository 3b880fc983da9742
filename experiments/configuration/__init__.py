"""From typed words and YAML to checked settings."""
