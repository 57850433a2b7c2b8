"""Sphinx: ``sphinx-build -W docs docs/_build``."""

project = "limner"
author = "The limner authors"
copyright = "2026, the limner authors"  # noqa: A001
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "alabaster"
myst_heading_anchors = 3
autodoc_typehints = "description"
napoleon_use_rtype = False
