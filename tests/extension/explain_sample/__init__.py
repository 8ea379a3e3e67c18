"""A sample of what an installed package can add."""
