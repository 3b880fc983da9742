"""The application's own verbs, and completion by Tab."""
