"""How Sphinx makes the site of these documents: `dev/docs`. The pages are Markdown that reads well without it too."""

project = "git rvexp"
author = "The git rvexp authors"
copyright = author  # noqa: A001  Sphinx's own name for it
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["README.md"]
myst_heading_anchors = 3
myst_links_external_new_tab = False
suppress_warnings = ["misc.highlighting_failure"]  # records and terminal output are no language
highlight_language = "none"
html_theme = "furo"
html_title = "git rvexp"
html_static_path = ["_static"]
html_css_files = ["tables.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True}
