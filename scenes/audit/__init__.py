"""What ``explain check`` checks: origin of numbers, pictures drawn from values, layout, timing, determinism.

One module a family of checks; each gets a `scenes.audit.picture.Picture` or a `SceneReport` and notes `Finding`s.
"""
