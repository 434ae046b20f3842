"""Pages that can be reached by keyboard: what may have to be scrolled can be focused."""

from __future__ import annotations

import re
from typing import Any

_WIDE = re.compile(r'<(pre|table class="docutils[^"]*"|div class="formula")>')


def let_scroll(html: str) -> str:
    """Return a page whose code, tables and formulas can be focused.

    A reader without a mouse scrolls what has the focus; on a phone all three may be wider than
    the page.
    """
    return _WIDE.sub(r'<\1 tabindex="0">', html)


def _finish(_: Any, __: str, ___: str, context: dict[str, Any], ____: Any) -> None:
    """Change the body of a page before it is written."""
    if "body" in context:
        context["body"] = let_scroll(context["body"])


def setup(app: Any) -> dict[str, bool]:
    """Let Sphinx finish every page."""
    app.connect("html-page-context", _finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
