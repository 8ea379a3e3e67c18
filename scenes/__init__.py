"""The pictures: Manim scenes, the kit they are drawn with, their production and the command line.

Nothing in this package imports torch.
"""
