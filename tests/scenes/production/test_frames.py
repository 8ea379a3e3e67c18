"""What the engine draws is what Manim draws: every frame of every kind of thing, to the last bit, before encoding."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import manim as m
import numpy as np
import pytest
from manim import DOWN, LEFT, RIGHT, UP, Scene

from explainers.traces import NamedArray
from scenes.kit import ROLES, TensorGrid, dim, exchange, label, math, role, undim
from scenes.kit.cells import CellImage
from scenes.kit.examples.showing import examples
from scenes.production.bench_worker import Seen, Watcher, watch
from scenes.production.drawing import RENDERERS
from scenes.production.plan import Job
from scenes.production.settings import Picture
from scenes.production.tiles import Box
from scenes.registry import Course

PICTURE = Picture(256, 144, 10)
Build = Callable[[Scene], None]


class ByChanges(Watcher):
    """Shows what an encoder sees that looks for changes only where the camera says that there are some."""

    def __init__(self, settings: Any, seen: Seen) -> None:
        super().__init__(settings, seen)
        self.changed: Callable[[], list[Box] | None] = lambda: None
        self.last: np.ndarray | None = None

    def write_frame(self, pixels: np.ndarray, *, repeat: int = 1) -> None:
        boxes = self.changed()
        if boxes is None or self.last is None:
            self.last = pixels.copy()
        for top, bottom, left, right in boxes or ():
            self.last[top:bottom, left:right] = pixels[top:bottom, left:right]
        super().write_frame(self.last, repeat=repeat)


def frames(scene_class: type[Scene], engine: str, media: Path, picture: Picture = PICTURE) -> list[bytes]:
    """A digest of each frame, before it is encoded."""
    seen: list[bytes] = []

    def note(_at: int, pixels: np.ndarray, repeat: int) -> None:
        seen.extend([hashlib.sha1(pixels.tobytes(), usedforsecurity=False).digest()] * repeat)

    with picture.configure(media):
        scene_class(renderer=RENDERERS[engine](file_writer_class=partial(ByChanges, seen=note))).render()
    return seen


def assert_equal(scene_class: type[Scene], media: Path, least: int = 3) -> None:
    """Both engines draw the same frames, and something moves in them."""
    stock, ours = (frames(scene_class, engine, media / engine) for engine in ("stock", "fast"))
    assert [index for index, (a, b) in enumerate(zip(stock, ours, strict=True)) if a != b] == []
    assert len(set(stock)) >= least, "a test in which nothing moves tests nothing"


def noise(height: int, width: int, alpha: bool = False, seed: int = 0) -> np.ndarray:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 4), np.uint8)
    return pixels if alpha else np.concatenate([pixels[:, :, :3], np.full((height, width, 1), 255, np.uint8)], axis=2)


def picture(alpha: bool = False, height: float = 3, seed: int = 0) -> Any:
    image = m.ImageMobject(noise(40, 60, alpha, seed))
    image.height = height
    return image


def values(seed: int) -> NamedArray:
    return NamedArray(np.random.default_rng(seed).normal(size=(4, 6)), ("token", "dim"), "made up")


# ---------------------------------------------------------------------- one function a kind
def fades(scene: Scene) -> None:
    square = m.Square(fill_opacity=0.5, color=m.BLUE)
    scene.add(m.Circle(color=m.RED).shift(LEFT))
    scene.play(m.FadeIn(square, shift=UP, scale=0.5), run_time=0.6)
    scene.play(m.FadeOut(square), m.FadeIn(m.Dot().shift(RIGHT * 3)), run_time=0.5)


def strokes_and_fills(scene: Scene) -> None:
    star = m.Star(color=m.YELLOW, fill_opacity=0.7, stroke_width=9).set_stroke(m.BLUE, 20, 0.4, background=True)
    line = m.DashedLine(LEFT * 6, RIGHT * 6, color=[m.RED, m.GREEN], stroke_width=6).set_z_index(2)
    scene.add(line)
    scene.play(m.Create(star), m.GrowArrow(m.Arrow(DOWN * 3, UP * 3)), run_time=0.6)
    scene.play(star.animate.set_color_by_gradient(m.RED, m.PURPLE, m.GREEN).rotate(1), run_time=0.5)
    scene.play(m.DrawBorderThenFill(m.Annulus(fill_opacity=1, color=m.TEAL)), m.ShowPassingFlash(line.copy()))


def cross_fades(scene: Scene) -> None:
    one, other = label("keys", "display", "key"), label("values", "display", "value")
    scene.play(m.Write(one), run_time=0.6)
    scene.play(exchange(one, other), run_time=0.6)
    scene.play(m.FadeTransform(other, m.Square(fill_opacity=1)), run_time=0.5)
    scene.play(m.FadeTransform(scene.mobjects[-1], picture().shift(RIGHT)), run_time=0.5)


def transforms(scene: Scene) -> None:
    formula, circle = math("c_t = W h_t", "display"), m.Circle().shift(UP * 2)
    scene.add(formula)
    scene.play(m.Transform(circle, m.Triangle(fill_opacity=1).shift(DOWN * 2)), run_time=0.5)
    scene.play(m.TransformMatchingShapes(formula, math("h_t = c_t W", "display")), run_time=0.6)
    scene.play(m.TransformFromCopy(circle, m.Square().shift(LEFT * 4)), m.CyclicReplace(circle, m.Dot()), run_time=0.5)


def groups_in_turn(scene: Scene) -> None:
    chips = m.VGroup(*(m.RoundedRectangle(width=0.8, height=0.5, fill_opacity=1, color=role(name)) for name in ROLES))
    chips.arrange_in_grid(cols=6)
    scene.play(m.LaggedStart(*(m.FadeIn(chip, shift=UP * 0.2) for chip in chips), lag_ratio=0.1), run_time=0.8)
    scene.play(m.Succession(m.Indicate(chips[3]), m.Flash(chips[8]), m.Circumscribe(chips[0])), run_time=1.2)
    scene.play(dim(chips[:9]), run_time=0.4)
    scene.play(undim(chips[:9]), m.Wiggle(chips[12]), run_time=0.6)


def z_order(scene: Scene) -> None:
    low, high = m.Square(4, fill_opacity=1, color=m.BLUE), m.Circle(fill_opacity=0.6, color=m.RED).set_z_index(3)
    between = m.Rectangle(width=9, height=1, fill_opacity=1, color=m.GREEN).set_z_index(1)
    scene.add(high, low, between)
    scene.play(low.animate.rotate(1), run_time=0.4)
    low.set_z_index(4)
    scene.play(between.animate.shift(UP), run_time=0.4)
    scene.add_foreground_mobject(between)
    scene.play(m.Rotate(low, 1), run_time=0.4)


def updaters(scene: Scene) -> None:
    tracker = m.ValueTracker(0)
    dot = m.always_redraw(lambda: m.Dot([tracker.get_value(), 1, 0], radius=0.3))
    follows = label("here", "heading").add_updater(lambda one: one.next_to(dot, DOWN))
    scene.add(m.NumberPlane(), m.TracedPath(dot.get_center, stroke_color=m.RED), dot, follows)
    scene.play(tracker.animate.set_value(4), run_time=0.6)
    turning = m.Square().add_updater(lambda one, dt: one.rotate(dt))
    scene.add(turning)
    scene.wait(0.4)
    turning.suspend_updating()
    scene.play(m.UpdateFromAlphaFunc(dot, lambda one, alpha: one.set_opacity(1 - alpha)), run_time=0.3)


def images(scene: Scene) -> None:
    image, glass = picture(), picture(alpha=True, seed=1).shift(RIGHT)
    scene.add(image, m.Square(fill_opacity=0.5, color=m.RED))
    scene.play(m.FadeIn(glass), run_time=0.4)
    scene.play(image.animate.shift(LEFT * 2 + UP * 0.37).scale(1.3), glass.animate.set_opacity(0.3), run_time=0.5)
    scene.play(m.Rotate(image, 0.7), run_time=0.4)
    scene.play(m.FadeOut(m.Group(image, glass), shift=DOWN), run_time=0.4)


def images_over_the_edge(scene: Scene) -> None:
    image = picture()
    scene.add(image)
    for place in (LEFT * 7, RIGHT * 7, UP * 4, DOWN * 4, LEFT * 30):
        scene.play(image.animate.move_to(place + 0.3 * RIGHT), run_time=0.3)


def images_too_thin_to_see(scene: Scene) -> None:
    image = picture()
    scene.play(image.animate.stretch(0.001, 0), run_time=0.4)
    scene.play(image.animate.stretch(2000, 0).stretch(0.0001, 1), run_time=0.4)


def images_scaled_smoothly(scene: Scene) -> None:
    for name in ("nearest", "bilinear", "bicubic"):
        image = picture(alpha=True).set_resampling_algorithm(m.RESAMPLING_ALGORITHMS[name])
        scene.play(image.animate.scale(1.7).rotate(0.1), run_time=0.3)
        scene.remove(image)


def tensors(scene: Scene) -> None:
    one = TensorGrid(values(0), role="latent")
    small = CellImage(noise(6, 9), width=2.2, height=1.3).shift(LEFT * 4 + UP)
    scene.add(small)
    scene.play(one.reveal(run_time=0.5))
    scene.play(one.morph_to(values(1)), small.animate.scale(0.4).shift(RIGHT), run_time=0.5)
    scene.play(m.FadeOut(one, scale=0.6), dim(small), run_time=0.5)


def points_without_lines(scene: Scene) -> None:
    cloud = m.PMobject(stroke_width=4).add_points(np.random.default_rng(0).normal(size=(200, 3)), color=m.YELLOW)
    scene.add(m.Circle(), cloud)
    scene.play(cloud.animate.shift(RIGHT), run_time=0.4)


def filled_with_an_image(scene: Scene) -> None:
    from PIL import Image

    circle = m.Circle(2, fill_opacity=1)
    circle.background_image = Image.fromarray(noise(180, 320))
    scene.add(m.Square(), circle)
    scene.play(circle.animate.shift(RIGHT), run_time=0.4)


def glass_ground(scene: Scene) -> None:
    scene.camera.background_opacity = 0.4
    scene.add(picture(alpha=True))
    scene.play(m.FadeIn(m.Square(fill_opacity=0.3)), scene.mobjects[0].animate.shift(RIGHT), run_time=0.5)


def shapes_that_come_again(scene: Scene) -> None:
    """The same points with other colours, strokes and holes; some over the edge, some farther out than Manim allows."""
    ring, far = m.Annulus(fill_opacity=1, color=m.TEAL), m.Square(2).shift(RIGHT * 30)
    dot = m.Line(UP * 2, UP * 2 + RIGHT * 1e-9, stroke_width=30).set_cap_style(m.CapStyleType.ROUND)
    sharp = m.Polygon(LEFT * 3, LEFT * 3 + UP * 2, LEFT * 2.9, joint_type=m.LineJointType.MITER, stroke_width=40)
    scene.add(label("steady", "heading").shift(DOWN * 2), far, dot)
    for colour in (m.RED, m.GREEN):
        scene.play(ring.animate.set_color(colour), m.FadeIn(sharp), far.animate.set_opacity(0.5), run_time=0.3)
        scene.play(dot.animate.set_stroke(width=50), m.Rotate(sharp, 0.2), run_time=0.3)
        scene.play(far.animate.shift(LEFT * 3), m.FadeOut(sharp, scale=2), run_time=0.3)
        scene.remove(dot)
        scene.play(m.Indicate(ring), run_time=0.3)
        scene.add(dot)


def a_ground_that_changes(scene: Scene) -> None:
    tracker = m.ValueTracker(0)
    scene.add(m.always_redraw(lambda: m.Dot([tracker.get_value(), 1, 0])))
    for colour in (m.BLUE, m.RED):
        scene.camera.background_color = colour
        scene.play(tracker.animate.increment_value(2), run_time=0.3)
        scene.wait(0.2)


def nothing_at_all(scene: Scene) -> None:
    scene.wait(0.3)
    scene.play(m.FadeIn(m.Dot()), run_time=0.3)
    scene.wait(0.4)
    scene.clear()
    scene.wait(0.2)


KINDS: list[Build] = [
    fades, strokes_and_fills, cross_fades, transforms, groups_in_turn, z_order, updaters, images,
    images_over_the_edge, images_too_thin_to_see, images_scaled_smoothly, tensors, points_without_lines,
    filled_with_an_image, glass_ground, shapes_that_come_again, a_ground_that_changes, nothing_at_all,
]  # fmt: skip


@pytest.mark.parametrize("build", KINDS, ids=lambda build: build.__name__)
def test_frames_equal_stock(build: Build, tmp_path: Path) -> None:
    assert_equal(type("Kind", (Scene,), {"construct": build}), tmp_path)


def a_moving_camera(scene: Any) -> None:
    square = m.Square(fill_opacity=1)
    scene.add(m.NumberPlane(), square, picture().shift(RIGHT * 2))
    scene.play(scene.camera.frame.animate.scale(0.5).move_to(square), run_time=0.5)
    scene.play(scene.camera.frame.animate.rotate(0).shift(RIGHT), m.FadeOut(square), run_time=0.5)


def a_camera_in_space(scene: Any) -> None:
    scene.set_camera_orientation(phi=1, theta=0.5)
    scene.add(m.ThreeDAxes(), m.Cube(fill_opacity=0.5))
    scene.move_camera(phi=0.3, run_time=0.5)


@pytest.mark.parametrize(
    ("build", "base"),
    [(a_moving_camera, m.MovingCameraScene), (a_camera_in_space, m.ThreeDScene), (a_moving_camera, m.ZoomedScene)],
)
def test_other_cameras_draw_as_ever(build: Build, base: type[Scene], tmp_path: Path) -> None:
    assert_equal(type("Kind", (base,), {"construct": build}), tmp_path)


MODULES = sorted({example.build.__module__ for example in examples().values()})


@pytest.mark.parametrize("module", MODULES, ids=lambda name: name.rpartition(".")[2])
def test_every_kit_object_is_drawn_as_ever(module: str, tmp_path: Path) -> None:
    """Each example of the kit arrives, moves a little, stands back and leaves."""
    builds = dict.fromkeys(one.build for one in examples().values() if one.build.__module__ == module)

    def construct(scene: Scene) -> None:
        for build in builds:
            shown = build()
            scene.play(m.FadeIn(shown, shift=RIGHT * 0.1), run_time=0.2)
            for part in shown.submobjects[:1]:
                scene.play(part.animate.shift(UP * 0.13), run_time=0.1)
            scene.play(dim(shown, to=0.4), run_time=0.2)
            scene.remove(shown)

    assert_equal(type("Moving", (Scene,), {"construct": construct}), tmp_path, least=2 * len(builds))


def course_scenes() -> list[Any]:
    course = Course.default("en")
    return [entry for lecture in course.lectures for entry in course.entries(lecture)]


@pytest.mark.slow
@pytest.mark.parametrize("entry", course_scenes(), ids=lambda entry: entry.key)
def test_the_course_is_drawn_as_by_stock_manim(entry: Any, tmp_path: Path) -> None:
    job = Job(entry, Picture(426, 240, 3)).to_json(tmp_path)
    digests: dict[str, list[bytes]] = {"stock": [], "fast": []}

    def note(engine: str, _at: int, pixels: np.ndarray, repeat: int) -> None:
        digests[engine].extend([hashlib.sha1(pixels.tobytes(), usedforsecurity=False).digest()] * repeat)

    for engine in digests:
        watch(job, engine, partial(note, engine))
    assert digests["stock"] == digests["fast"]
