# SPDX-License-Identifier: MIT
# Sphinx builds these pages: `make docs`. Nothing is fetched from the net, then or when reading.
import re
from pathlib import Path

from docutils import nodes

import usocket_compat

project = "usocket_compat"
version = release = usocket_compat.__version__
author = copyright = ""

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton"]
exclude_patterns = ["build", "verified"]
# Headings can be linked to, as on the web pages of repositories.
myst_heading_anchors = 3
# `name` in a docstring is code.
default_role = "code"
add_module_names = False
# A block that names no language is a picture or an output.
highlight_language = "text"
nitpicky = True

html_theme = "furo"
html_title = f"usocket_compat {version}"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_show_copyright = False
html_show_sphinx = False
html_copy_source = False
# A session's commands are copied without their prompt and without what they print.
copybutton_prompt_text = "$ "

# Parameter -> the prefix of the constants that its default is one of.
PREFIXES = {"family": "AF_", "type": "SOCK_"}


def split(app, what, name, obj, options, lines):
    """What a docstring says of results, errors and sources begins a line of its own."""
    text = "\n".join(lines)
    parts = [" ".join(part.split()) for part in text.split("\n\n")]
    text = "\n\n".join(parts)
    for word in ("Returns ", "Raises ", "Source: "):
        text = text.replace(". " + word, ".\n\n" + word)
    lines[:] = text.split("\n")


def named(app, what, name, obj, options, signature, returns):
    """`family=AF_INET` for `family=2`: on a board a default is a number, since a name is heap."""

    def by_name(match):
        parameter, number = match.groups()
        names = [
            each
            for each in usocket_compat.__all__
            if each.startswith(PREFIXES[parameter])
            and getattr(usocket_compat, each) == int(number)
        ]
        return f"{parameter}={min(names, key=len)}" if names else match[0]

    pattern = rf"\b({'|'.join(PREFIXES)})=(\d+)"
    return (re.sub(pattern, by_name, signature) if signature else signature), returns


def inline(app, doctree, page):
    """A drawing becomes a part of the page, whose colours it then has, in the dark too."""
    for image in list(doctree.findall(nodes.image)):
        file = Path(app.srcdir, image["uri"])
        if file.suffix != ".svg":
            continue
        drawing = nodes.raw("", file.read_text(encoding="utf-8"), format="html")
        frame = nodes.container(classes=["drawing-frame"])
        frame += drawing
        parent = image.parent if isinstance(image.parent, nodes.paragraph) else image
        parent.replace_self(frame)


def setup(app):
    app.connect("autodoc-process-docstring", split)
    app.connect("autodoc-process-signature", named)
    app.connect("doctree-resolved", inline)
