"""From scenes to films: plan, render in processes, cache, assemble. Import `render` from here."""

from scenes.production.films import render
from scenes.production.settings import FilmResult, Options

__all__ = ["FilmResult", "Options", "render"]
