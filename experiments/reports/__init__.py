"""From the tables of a study to findings, pages and lines for a terminal."""
