# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of an image before it costs anything is what an artist would say who looks at it."""

from __future__ import annotations

import importlib.util
import io
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFilter

from pixal3d_addon.generation import Pixels, SourceImageError
from pixal3d_addon.generation.image_check import CHECK_SIDE_PX, Box, Finding, check_image, small_copy

PROJECT = Path(__file__).resolve().parents[3]
SKIMAGE = importlib.util.find_spec("skimage")
BUSY, CUT, TINY = Finding.NO_ALPHA_BUSY_BACKGROUND, Finding.CUT_AT_EDGE, Finding.TINY
ELONGATED, NEARLY_EMPTY, SEE_THROUGH = Finding.ELONGATED, Finding.NEARLY_EMPTY, Finding.SEE_THROUGH


def pixels_of(image: Image.Image) -> Pixels:
    """As Blender would hold the picture: floats, bottom row first."""
    if image.mode not in ("L", "LA", "RGB", "RGBA"):
        image = image.convert("RGBA")
    picture = np.asarray(image).reshape(image.height, image.width, -1)
    return Pixels(*image.size, (picture[::-1].astype(np.float32) / 255.0).ravel(), picture.shape[2])


def linear(pixels: Pixels) -> Pixels:
    """The same RGBA picture as a float image of Blender's: scene-linear, premultiplied."""
    picture = pixels.values.reshape(-1, 4).copy()
    color = picture[:, :3]
    color[:] = np.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4) * picture[:, 3:]
    return replace(pixels, values=picture.ravel(), is_linear=True)


def mushroom() -> Image.Image:
    """1024 px, with alpha; the subject reaches from (134, 82) to (890, 903), as Blender counts rows."""
    with Image.open(PROJECT / "scripts/sample/mushroom.png") as image:
        return image.convert("RGBA")


MUSHROOM = Box(134, 82, 890, 903)


def in_front_of(background: Image.Image, subject: Image.Image | None = None) -> Image.Image:
    subject = subject or mushroom()
    picture = background.convert("RGB").resize(subject.size)
    picture.paste(subject, (0, 0), subject)
    return picture


def plain(color: str | tuple[int, int, int], side: int = 1024) -> Image.Image:
    return Image.new("RGB", (side, side), color)


def studio(vignette: float = 0.25) -> Image.Image:
    """A gray backdrop, darker to the bottom and in the corners."""
    y, x = np.mgrid[0:1024, 0:1024] / 1023.0
    light = 0.95 - 0.35 * y + 0.05 * x - vignette * ((x - 0.5) ** 2 + (y - 0.5) ** 2)
    return Image.fromarray((np.stack([light, light, light * 0.97], axis=2) * 255).astype(np.uint8))


def noisy(image: Image.Image, deviation: float) -> Image.Image:
    noise = np.random.default_rng(1).normal(0.0, deviation, (image.height, image.width, 3))
    return Image.fromarray((np.asarray(image) + noise).clip(0, 255).astype(np.uint8))


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer)


def clutter(side: int = 1024) -> Image.Image:
    """Blocks of random colors."""
    blocks = np.random.default_rng(3).integers(0, 256, (8, 8, 3), np.uint8)
    return Image.fromarray(blocks).resize((side, side), Image.Resampling.NEAREST)


def drawn(shape: str, box: tuple[int, int, int, int], side: int = 1024, background: str | None = None) -> Image.Image:
    """A brown rectangle or ellipse (PIL's corners, the last ones included) on a color, or else on nothing."""
    image = Image.new("RGBA", (side, side), background or (0, 0, 0, 0))
    getattr(ImageDraw.Draw(image), shape)(box, fill=(110, 60, 20, 255))
    return image.convert("RGB") if background else image


def overlap(found: Box | None, expected: Box) -> float:
    """Intersection over union."""
    if found is None:
        return 0.0
    width = min(found.right, expected.right) - max(found.left, expected.left)
    height = min(found.top, expected.top) - max(found.bottom, expected.bottom)
    common = max(0, width) * max(0, height)
    return common / (found.width * found.height + expected.width * expected.height - common)


# Judged by eye. A box is where one would draw it with the mouse, `None` where there is none to be drawn.
REAL_PICTURES: dict[str, tuple[tuple[Finding, ...], Box | None]] = {
    "astronaut.png": ((BUSY,), None),  # a flag, a model rocket, and the suit is cut
    "camera.png": ((BUSY,), None),  # a man on a lawn
    "chelsea.png": ((BUSY,), None),  # a cat's face, larger than the picture
    "coffee.png": ((BUSY,), None),  # a cup on a table of wood
    "motorcycle_left.png": ((BUSY,), None),  # in a garage
    "grass.png": ((BUSY,), None),
    "gravel.png": ((BUSY,), None),
    "ihc.png": ((BUSY,), None),
    "chessboard_GRAY.png": ((BUSY, TINY), None),
    "no_time_for_that_tiny.gif": ((BUSY, TINY), None),
    "rocket.jpg": ((CUT,), Box(0, 0, 640, 427)),  # in front of a dark sky, but on ground that is cut, between towers
    "horse.png": ((), Box(17, 14, 391, 319)),  # black on white
    "logo.png": ((), Box(11, 9, 491, 490)),  # a disk on white, in spite of its alpha channel
    "phantom.png": ((), Box(62, 15, 339, 384)),  # a white ring on black
    "retina.jpg": ((), Box(8, 12, 1398, 1402)),  # a disk that nearly touches
    "clock_motion.png": ((), Box(142, 84, 283, 207)),  # a blurred clock on a gray wall with a vignette
}

if SKIMAGE and SKIMAGE.origin:  # part of the environment with all tools; the others judge the pictures made here
    DATA = Path(SKIMAGE.origin).parent / "data"

    @pytest.mark.parametrize("name", REAL_PICTURES)
    def test_of_a_real_picture_is_said_what_an_artist_would_say(name: str) -> None:
        findings, box = REAL_PICTURES[name]
        with Image.open(DATA / name) as image:
            check = check_image(pixels_of(image))
        assert check.findings == findings
        assert not check.has_alpha
        assert (check.subject is None) is (box is None)
        assert box is None or overlap(check.subject, box) > 0.85


def test_a_subject_with_alpha_is_found_to_the_pixel_of_the_small_copy() -> None:
    check = check_image(pixels_of(mushroom()))
    assert check.has_alpha and check.findings == ()
    assert overlap(check.subject, MUSHROOM) > 0.97


@pytest.mark.parametrize(
    "picture",
    [
        in_front_of(plain("white")),
        in_front_of(plain("black")),
        in_front_of(plain((220, 40, 40))),  # as red as the cap
        in_front_of(studio()),
        in_front_of(studio(vignette=0.8)),
        noisy(in_front_of(plain("white")), 8),
        noisy(in_front_of(plain("gray")), 25),
        jpeg(in_front_of(plain("white")), 20),
    ],
    ids=["white", "black", "red", "studio", "vignette", "noise", "much noise", "jpeg"],
)
def test_the_same_subject_is_found_in_front_of_any_plain_background(picture: Image.Image) -> None:
    check = check_image(pixels_of(picture))
    assert not check.has_alpha and check.findings == ()
    assert overlap(check.subject, MUSHROOM) > 0.95


def test_a_busy_background_is_said_and_no_subject_made_up() -> None:
    check = check_image(pixels_of(in_front_of(clutter())))
    assert check.findings == (BUSY,)
    assert check.subject is None


def test_a_busy_picture_with_alpha_has_no_busy_background() -> None:
    picture = clutter()
    picture.putalpha(mushroom().getchannel("A"))
    check = check_image(pixels_of(picture))
    assert check.findings == ()
    assert overlap(check.subject, MUSHROOM) > 0.97


def test_a_badly_lit_corner_is_no_part_of_the_subject_but_its_highlights_and_shadows_are() -> None:
    gray = drawn("rectangle", (400, 400, 600, 600), background="#808080")
    draw = ImageDraw.Draw(gray)
    draw.rectangle((900, 0, 1023, 100), fill="#959595")  # 0.14 off
    for box in ((601, 560, 700, 600), (340, 450, 399, 500), (450, 320, 500, 399), (500, 601, 550, 660)):
        draw.rectangle(box, fill="#6b6b6b")  # as near to the background, but joined to the subject
    check = check_image(pixels_of(gray))
    assert overlap(check.subject, Box(340, 1023 - 660, 701, 1024 - 320)) > 0.97
    assert check.findings == ()


def test_a_pale_subject_is_found_in_front_of_a_background_like_it() -> None:
    gray = plain("#808080")
    ImageDraw.Draw(gray).rectangle((300, 300, 699, 699), fill="#6b6b6b")
    check = check_image(pixels_of(gray))
    assert overlap(check.subject, Box(300, 324, 700, 724)) > 0.97
    assert check.findings == ()


def test_noise_is_no_subject() -> None:
    pixels = pixels_of(noisy(plain("gray", 256), 8))
    distance = np.linalg.norm(small_copy(pixels, CHECK_SIDE_PX)[:, :, :3] - 128 / 255, axis=2)
    assert (distance > 0.1).sum() > 300, "single pixels stand out"
    check = check_image(pixels)
    assert check.subject is None and check.findings == (NEARLY_EMPTY,)


@pytest.mark.parametrize("background", [None, "white"], ids=["alpha", "white"])
@pytest.mark.parametrize("edge", ["left", "top", "right", "bottom"])
def test_a_subject_that_the_edge_cuts_is_said(background: str | None, edge: str) -> None:
    box = {"left": (-300, 400, 300, 800), "right": (700, 400, 1300, 800)}.get(edge, (400, -300, 800, 300))
    if edge == "bottom":
        box = (400, 700, 800, 1300)
    assert check_image(pixels_of(drawn("ellipse", box, background=background))).findings == (CUT,)


@pytest.mark.parametrize("background", [None, "white"], ids=["alpha", "white"])
@pytest.mark.parametrize("side", [256, 257, 512, 1000, 1030])
def test_a_round_subject_that_only_touches_the_edge_is_not_cut(side: int, background: str | None) -> None:
    check = check_image(pixels_of(drawn("ellipse", (0, 0, side - 1, side - 1), side, background)))
    assert check.findings == ()
    assert check.subject == Box(0, 0, side, side)


def test_a_shadow_that_runs_off_the_edge_does_not_cut_the_subject() -> None:
    shadow = Image.new("RGBA", (1024, 1024), (0, 0, 0, 0))
    alpha = Image.new("L", shadow.size, 0)
    alpha.paste(90, (300, 850, 1024, 980))
    shadow.putalpha(alpha.filter(ImageFilter.GaussianBlur(20)))
    check = check_image(pixels_of(Image.alpha_composite(shadow, mushroom())))
    assert check.findings == ()
    assert check.subject and check.subject.right == 1024, "a crop keeps the shadow"


@pytest.mark.parametrize(("size", "is_tiny"), [((255, 255), True), ((256, 10), False), ((10, 256), False)])
def test_an_image_is_tiny_below_256_px(size: tuple[int, int], is_tiny: bool) -> None:
    assert (TINY in check_image(pixels_of(Image.new("RGB", size))).findings) is is_tiny


@pytest.mark.parametrize("background", [None, "white"], ids=["alpha", "white"])
@pytest.mark.parametrize(("thickness", "findings"), [(180, (ELONGATED,)), (260, ())])
def test_a_subject_of_more_than_four_to_one_is_elongated(
    background: str | None, thickness: int, findings: tuple[Finding, ...]
) -> None:
    upright = drawn("rectangle", (400, 12, 400 + thickness - 1, 1011), background=background)
    for image in (upright, upright.transpose(Image.Transpose.ROTATE_90)):
        assert check_image(pixels_of(image)).findings == findings


@pytest.mark.parametrize("background", [None, "white"], ids=["alpha", "white"])
@pytest.mark.parametrize(("side", "findings"), [(100, (NEARLY_EMPTY,)), (150, ())])
def test_a_subject_that_covers_hardly_anything_is_said(
    background: str | None, side: int, findings: tuple[Finding, ...]
) -> None:
    image = drawn("rectangle", (700, 200, 699 + side, 199 + side), background=background)
    check = check_image(pixels_of(image))
    assert check.findings == findings
    assert overlap(check.subject, Box(700, 1024 - 200 - side, 700 + side, 1024 - 200)) > 0.85


@pytest.mark.parametrize("image", [plain("teal"), Image.new("RGBA", (600, 400))], ids=["one color", "transparent"])
def test_an_image_of_nothing_has_no_subject(image: Image.Image) -> None:
    check = check_image(pixels_of(image))
    assert check.findings == (NEARLY_EMPTY,)
    assert check.subject is None


def test_a_subject_that_is_nowhere_opaque_is_said_since_the_model_does_not_see_it() -> None:
    ghost = mushroom()
    ghost.putalpha(ghost.getchannel("A").point(lambda alpha: alpha * 3 // 4))
    assert check_image(pixels_of(ghost)).findings == (SEE_THROUGH,)
    ghost.putpixel((512, 512), (255, 0, 0, 255))
    assert check_image(pixels_of(ghost)).findings == (), "the model sees a single opaque pixel"


def test_alpha_that_is_opaque_but_for_odd_pixels_is_no_transparency() -> None:
    picture = in_front_of(plain("white")).convert("RGBA")
    picture.putalpha(254)
    for x in range(100):
        picture.putpixel((x, 10), (0, 0, 0, 0))
    check = check_image(pixels_of(picture))
    assert not check.has_alpha
    assert overlap(check.subject, MUSHROOM) > 0.95


def test_alpha_that_does_not_mean_transparency_is_not_looked_at() -> None:
    assert check_image(replace(pixels_of(mushroom()), has_alpha=False)).has_alpha is False


def test_a_float_image_is_judged_like_a_byte_image_of_the_same_look() -> None:
    for picture in (mushroom(), in_front_of(studio()).convert("RGBA"), in_front_of(clutter()).convert("RGBA")):
        pixels = pixels_of(picture)
        assert check_image(linear(pixels)) == check_image(pixels)


def test_a_mast_of_one_pixel_in_a_large_image_is_in_the_box() -> None:
    alpha = np.zeros((4096, 4096), np.float32)
    alpha[500:1500, 1000:3000] = 1.0
    alpha[1500:4000, 2001] = 1.0
    gray = np.stack([np.full_like(alpha, 0.5), alpha], axis=2)
    check = check_image(Pixels(4096, 4096, gray.ravel(), 2))
    assert check.subject == Box(992, 496, 3008, 4000)


def test_the_small_copy_shows_the_mean_of_what_is_seen_in_srgb() -> None:
    picture = np.zeros((2, 2 * CHECK_SIDE_PX, 4), np.float32)
    picture[:, 0::2] = (1.0, 0.0, 0.0, 0.0)  # invisible red …
    picture[:, 1::2] = (0.0, 0.5, 0.0, 1.0)  # … beside opaque green
    pixels = Pixels(2 * CHECK_SIDE_PX, 2, picture.ravel())
    for small in (small_copy(pixels, CHECK_SIDE_PX), small_copy(linear(pixels), CHECK_SIDE_PX)):
        assert small.shape == (1, CHECK_SIDE_PX, 4)
        np.testing.assert_allclose(small, np.broadcast_to([0.0, 0.5, 0.0, 0.5], small.shape), atol=1e-5)


def test_gray_is_judged_like_the_same_gray_in_three_channels() -> None:
    gray = in_front_of(studio()).convert("L")
    assert check_image(pixels_of(gray)) == check_image(pixels_of(gray.convert("RGB")))


def test_an_image_without_pixels_is_refused_with_a_remedy() -> None:
    for size in ((0, 0), (0, 5), (5, 0)):
        with pytest.raises(SourceImageError, match=r"no pixels\. .*select another"):
            check_image(Pixels(*size, np.zeros(0, np.float32)))


def test_each_finding_has_a_label_and_a_short_sentence_on_what_to_do() -> None:
    assert len({finding.label for finding in Finding}) == len(Finding)
    for finding in Finding:
        assert finding.sentence.endswith(".") and finding.sentence[0].isupper()
        assert 20 < len(finding.sentence) <= 70 and len(finding.label) <= 20


sides = st.integers(1, 24) | st.sampled_from([255, 256, 257, 300, 511])
values = st.sampled_from([0.0, 0.25, 0.5, 1.0, 7.5, -3.0, 3e38, math.nan, math.inf, -math.inf])


@st.composite
def any_pixels(draw: st.DrawFn) -> Pixels:
    width, height, channels = draw(sides), draw(sides), draw(st.integers(1, 4))
    random = np.random.default_rng(draw(st.integers(0, 99)))
    palette = np.array(draw(st.lists(values, min_size=1, max_size=8)), np.float32)
    return Pixels(
        width,
        height,
        random.choice(palette, width * height * channels),
        channels,
        is_linear=draw(st.booleans()),
        has_alpha=draw(st.booleans()),
    )


@given(any_pixels())
@example(Pixels(1, 1, np.full(4, np.nan, np.float32)))
@example(Pixels(3000, 1, np.full(3000, 3e38, np.float32), 1))
def test_any_image_of_any_size_is_judged_as_it_would_be_sent_and_not_altered(pixels: Pixels) -> None:
    before = pixels.values.copy()
    pixels.values.flags.writeable = False
    with np.errstate(all="raise", under="ignore"):
        check = check_image(pixels)
    np.testing.assert_array_equal(pixels.values, before)

    sent = np.clip(np.nan_to_num(before, nan=0.0, posinf=1.0, neginf=0.0), 0.0, 1.0)
    assert check == check_image(replace(pixels, values=sent))
    assert (check.width, check.height) == (pixels.width, pixels.height)
    if check.subject:
        assert 0 <= check.subject.left < check.subject.right <= pixels.width
        assert 0 <= check.subject.bottom < check.subject.top <= pixels.height


@given(sides, sides, st.data())
def test_the_box_holds_the_subject_and_at_most_a_pixel_of_the_small_copy_more(
    width: int, height: int, data: st.DataObject
) -> None:
    left, bottom = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    right, top = data.draw(st.integers(left + 1, width)), data.draw(st.integers(bottom + 1, height))
    alpha = np.zeros((height, width), np.float32)
    alpha[bottom:top, left:right] = 1.0
    check = check_image(Pixels(width, height, np.stack([alpha, alpha], axis=2).ravel(), 2))
    if check.has_alpha:
        slack = math.ceil(max(width, height) / CHECK_SIDE_PX) - 1
        assert check.subject
        for found, true in (
            (left - check.subject.left, left),
            (bottom - check.subject.bottom, bottom),
            (check.subject.right - right, right),
            (check.subject.top - top, top),
        ):
            assert 0 <= found <= slack, true
