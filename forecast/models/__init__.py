"""Models behind one contract: `fit(panel)` returns a fitted model, which forecasts in draws."""
