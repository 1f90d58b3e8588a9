# SPDX-License-Identifier: MIT
# Sphinx builds these pages: `make docs`. Nothing is fetched from the net, then or when reading.
import usocket_compat

project = "usocket_compat"
version = release = usocket_compat.__version__
author = copyright = ""

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["build"]
# Headings can be linked to, as on the web pages of repositories.
myst_heading_anchors = 3
# `name` in a docstring is code.
default_role = "code"
add_module_names = False
nitpicky = True

html_theme = "alabaster"
html_theme_options = {
    "description": "Zephyr's BSD sockets for CPython and MicroPython",
    "fixed_sidebar": True,
    "page_width": "75em",
}
html_show_copyright = False
html_copy_source = False


def split(app, what, name, obj, options, lines):
    """What a docstring says of results, errors and sources begins a line of its own."""
    text = "\n".join(lines)
    parts = [" ".join(part.split()) for part in text.split("\n\n")]
    text = "\n\n".join(parts)
    for word in ("Returns ", "Raises ", "Source: "):
        text = text.replace(". " + word, ".\n\n" + word)
    lines[:] = text.split("\n")


def setup(app):
    app.connect("autodoc-process-docstring", split)
