"""Figures, words and the report: what is shown of a result, and how it is said."""
