"""Counts on their way in: panels, readers, cleaning and the samples that ship."""
