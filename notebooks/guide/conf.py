"""How the guide is built: `make docs`, or `sphinx-build -W notebooks/guide reports/docs`."""

from __future__ import annotations

import sys
from importlib.metadata import version as version_of
from pathlib import Path

from forecast.reporting import theme

sys.path.insert(0, str(Path(__file__).parent))  # the guide's own parts

project = "violence-forecast"
author = "The violence-forecast team"
release = version = version_of("violence-forecast")
language = "en-GB"
html_title = "violence-forecast: guide and reference"
html_short_title = "Guide"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "guide_parts.maths",
    "guide_parts.making",
    "guide_parts.reaching",
]
exclude_patterns = ["guide_parts/**", "**/__pycache__"]

# Pages are text: what they show was tried by the tests, and is not run again to be built.
nb_execution_mode = "off"
myst_enable_extensions = ["dollarmath", "amsmath", "deflist"]
myst_heading_anchors = 4
html_math_renderer = "mathml"

napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
autodoc_typehints = "none"  # docstrings tell them in words
autodoc_class_signature = "mixed"
autodoc_member_order = "bysource"
add_module_names = False
default_role = "code"  # single back-ticks in docstrings are code
toc_object_entries = False

html_theme = "alabaster"
pygments_style = "bw"  # read by weight and slant: no colour is too pale
templates_path = ["_templates"]
html_sidebars = {"**": ["name.html", "searchfield.html", "contents.html"]}
html_static_path = ["_static"]
html_css_files = ["guide.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_show_copyright = False
html_use_index = True
html_theme_options = {
    "description": "Forecasts of violence and robbery, and honest evaluation of police campaigns",
    "fixed_sidebar": False,
    "font_family": '"Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif',
    "head_font_family": '"Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif',
    "link": theme.OBSERVED,
    "link_hover": theme.OBSERVED,
    "sidebar_link": theme.OBSERVED,
    "anchor": theme.OBSERVED,
    "body_text": theme.INK,
    "sidebar_text": theme.INK,
    "page_width": "66rem",
    "sidebar_width": "14rem",
    "show_powered_by": False,
}
