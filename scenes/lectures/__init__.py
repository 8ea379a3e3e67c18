"""The scenes of the eight lectures, one module (or folder) a lecture."""
