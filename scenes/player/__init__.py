"""From films to a site that a learner steps through: import `build_site` and `serve` from here.

The page's own sources are in ``web/`` (plain ES modules); what a user needs is built and ships in ``built/``.
"""

from scenes.player.build import SiteResult, build_site
from scenes.player.films import Film, films_in
from scenes.player.server import serve

__all__ = ["Film", "SiteResult", "build_site", "films_in", "serve"]
