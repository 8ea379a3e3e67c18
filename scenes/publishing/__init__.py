"""What goes out with a film: chapters, description with sources, thumbnail, loudness. Import `kit` from here."""

from scenes.publishing.kit import kit

__all__ = ["kit"]
