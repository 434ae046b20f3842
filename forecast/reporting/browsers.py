"""Where the browser is that can print pages: Chromium, Chrome or Edge."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome",
          "msedge", "microsoft-edge", "microsoft-edge-stable")  # fmt: skip
_PLACES = (
    "Program Files/Google/Chrome/Application/chrome.exe",
    "Program Files (x86)/Google/Chrome/Application/chrome.exe",
    "Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
    "Program Files/Microsoft/Edge/Application/msedge.exe",
    "Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "Applications/Chromium.app/Contents/MacOS/Chromium",
    "opt/google/chrome/chrome",
    "opt/microsoft/msedge/msedge",
    "snap/bin/chromium",
)
"""From the root of the system's disk."""

_OWN_PLACES = (
    "AppData/Local/Google/Chrome/Application/chrome.exe",
    "Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
"""From the user's own folder."""


def find_browser() -> Path | None:
    """Return a browser that can print without a window, or None.

    Those on PATH come first, then the places where installers put them on Windows, macOS and
    Linux.

    Returns
    -------
    Path or None
    """
    for name in _NAMES:
        found = shutil.which(name)
        if found:
            return Path(found)
    root = Path(os.environ.get("SYSTEMDRIVE", "") + "/")
    places = [root / place for place in _PLACES]
    places += [Path.home() / place for place in _OWN_PLACES]
    return next((place for place in places if place.is_file()), None)
