"""``explain watch``: see a scene change while you write it."""

from __future__ import annotations

import threading
import webbrowser

import click

from scenes.commands.common import course_options, quality_option


@click.command()
@click.argument("scene")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on this machine; default: a free one.")
@quality_option
@course_options
@click.option("--browser/--no-browser", default=True, help="Open the page (default yes).")
def watch(scene: str, port: int, quality: str, browser: bool) -> None:
    """Show SCENE in the browser, the end of every step, and draw again what changes whenever a file is saved.

    Findings of the check are framed in the pictures; errors are shown there too. Ctrl-C ends it.
    """
    from scenes.workshop.page import Page
    from scenes.workshop.watching import Watch

    watching = Watch(scene, quality)
    try:
        with Page(watching, port) as page:
            threading.Thread(target=page.serve_forever, daemon=True).start()
            click.echo(f"{page.url}   (only from this machine; Ctrl-C ends it)")
            if browser:
                webbrowser.open(page.url)
            watching.run()
    finally:
        watching.stop()
