"""Fresh forecasts every night: kept as vintages, scored, published, never silently dead."""
