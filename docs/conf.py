"""Sphinx: ``sphinx-build -W docs docs/_build``."""

from __future__ import annotations

import builtins
import re
import sys
from typing import TYPE_CHECKING

import limner

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

project = "limner"
author = "The limner authors"
copyright = "2026, the limner authors"  # noqa: A001
release = limner.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = "limner"
html_favicon = "_static/favicon.svg"
html_static_path = ["_static"]
html_css_files = ["limner.css"]
html_show_sphinx = False
pygments_style = "tango"
pygments_dark_style = "monokai"

myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]

copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True

autodoc_class_signature = "mixed"
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
napoleon_use_rtype = False

nitpicky = True
nitpick_ignore_regex = [
    # The standard library and other packages have no page here, and the build must work offline.
    (r"py:.*", rf"({'|'.join(map(re.escape, sorted(sys.stdlib_module_names)))})(\..*)?"),
    (r"py:.*", rf"({'|'.join(map(re.escape, dir(builtins)))})"),
    (r"py:.*", r"(PIL|attr|botocore|click|hypothesis|pluggy)\..*|AttrsInstance"),
    # Aliases and classes in signatures that only the core and the transports make; the text beside them says what to give.
    (
        r"py:.*",
        r"Deadline|Executor|Failed|Mode|Model(Description|Interface)|ProgressCallback|Size|Tasks",
    ),
    (r"py:.*", r"limner\.results\.Origin|limner_fakes\..*"),
]


def shorten_signature(
    _app: Sphinx, _what: str, _name: str, _object: object, _options: object, signature: str | None, returned: str | None
) -> tuple[str | None, str | None]:
    """Write the default of a field with a factory as an ellipsis."""
    return signature and signature.replace("=NOTHING", "=..."), returned


def resolve_unqualified(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.TextElement
) -> nodes.reference | None:
    """Lead a class that an annotation names without its module to the public class of that name."""
    target = node.get("reftarget", "")
    if node.get("refdomain") != "py" or "." in target:
        return None
    domain = env.domains["py"]
    return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", f"limner.{target}", node, content)


def setup(app: Sphinx) -> None:
    """Connect the handlers."""
    app.connect("autodoc-process-signature", shorten_signature)
    app.connect("missing-reference", resolve_unqualified)
