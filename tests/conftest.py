"""What several tests use: the shipped figures, and the shared ones where they are there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from forecast.data.panel import Panel
from forecast.data.samples import load_sample
from forecast.impact.campaign import Campaign
from forecast.impact.evaluation import Evaluation, evaluate


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of publishers' files and reference figures beside the repository."""
    folder = Path(__file__).resolve().parents[1] / ".." / "shared"
    if not folder.is_dir():
        reason = "the shared figures are not beside this repository (folder ../shared)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def london() -> Panel:
    """The panel that ships."""
    return load_sample("london")


@pytest.fixture(scope="session")
def autumn_nights(london: Panel) -> Evaluation:
    """The worked case: Autumn Nights 2020 on the panel that ships."""
    return evaluate(Campaign.load("autumn-nights-2020"), london)
