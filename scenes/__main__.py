"""``python -m scenes`` is the same as ``explain``."""

from scenes.cli import main

if __name__ == "__main__":
    main()
