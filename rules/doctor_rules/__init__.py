"""The built-in rule pack: YAML files only, one rule a file."""
