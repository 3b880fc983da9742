"""Everything that a user reads, by language: a folder a language, of one table of phrases and of templates for sentences."""
