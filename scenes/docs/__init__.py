"""``explain docs``: the documentation, whose pictures, tables and outputs are made anew by each build.

`site` puts it together; each other module writes one chapter as Markdown, which Sphinx turns into pages.
"""
