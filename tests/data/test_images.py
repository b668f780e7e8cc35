"""Tests of decoding untrusted image bytes, and of the part of a picture that a network sees."""

import io
import struct
import time
import zlib
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from aquadash.data import images
from aquadash.data.framing import fit, framing_note, is_cut
from aquadash.data.images import decode, display_name
from aquadash.errors import ImageError
from tests.support.encoded_pictures import (
    BLUE,
    ENDINGS,
    GREEN,
    RED,
    WHITE,
    photo,
    png,
    png_chunk,
    quarter_colours,
    quarters,
    saved,
)


@pytest.mark.parametrize("kind", ENDINGS)
def test_admitted_formats(kind: str) -> None:
    image = decode(saved(quarters(), kind), name=f"a.{ENDINGS[kind]}")
    assert image.kind.upper() == kind
    assert image.original_size == (32, 32)
    assert image.rgb.shape == (32, 32, 3) and image.rgb.dtype == np.uint8
    assert quarter_colours(image.rgb) == [RED, GREEN, BLUE, WHITE]
    assert image.notes == ()


@pytest.mark.parametrize("orientation", [*range(1, 9), 99])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_pictures_are_turned_upright_as_pillow_turns_them(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(quarters(64).resize((64, 32)), kind, exif=exif)
    image, upright = decode(data, name="photo"), ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    assert image.original_size == upright.size == ((32, 64) if 5 <= orientation <= 8 else (64, 32))
    np.testing.assert_array_equal(image.rgb, upright)
    assert ("turned upright by its EXIF tag" in image.notes) == (2 <= orientation <= 8)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_damaged_exif_is_ignored() -> None:
    data = saved(quarters(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\xff\x7f\x01\x02")
    assert quarter_colours(decode(data, name="a.jpg").rgb) == [RED, GREEN, BLUE, WHITE]


@pytest.mark.parametrize(
    ("picture", "options"),
    [
        (Image.new("RGBA", (8, 8), (10, 20, 30, 0)), {}),
        (Image.new("LA", (8, 8), (10, 0)), {}),
        (Image.new("RGB", (8, 8), (1, 2, 3)).quantize(4), {"transparency": 0}),
        (Image.new("RGB", (8, 8), (1, 2, 3)), {"transparency": (1, 2, 3)}),
    ],
)
def test_transparent_parts_become_white(picture: Image.Image, options: dict[str, Any]) -> None:
    image = decode(saved(picture, "PNG", **options), name="a.png")
    assert (image.rgb == 255).all() and image.notes == ("transparency filled with white",)


def test_large_transparent_pictures_do_not_bleed_hidden_colours() -> None:
    """At the edge of fully transparent red and opaque black, shrinking must not mix in the red."""
    picture = Image.new("RGBA", (2048, 2048), (255, 0, 0, 0))
    picture.paste((0, 0, 0, 255), (1023, 0, 2048, 2048))
    rgb = decode(saved(picture, "PNG", compress_level=1), name="a.png").rgb.astype(int)

    assert rgb.shape == (512, 512, 3)
    assert (rgb.max(axis=2) - rgb.min(axis=2)).max() <= 1


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        (Image.new("L", (4, 4), 100), (100, 100, 100)),
        (Image.new("1", (4, 4), 1), WHITE),
        (Image.new("RGB", (4, 4), (1, 2, 3)).quantize(4), (1, 2, 3)),
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF"])
def test_grey_one_bit_and_palette(kind: str, picture: Image.Image, expected: tuple[int, ...]) -> None:
    assert tuple(decode(saved(picture, kind), name="a").rgb[2, 2]) == expected


def test_sixteen_bits_use_the_full_range_and_are_rounded_to_the_nearest_of_eight() -> None:
    rgb_row = b"\0" + struct.pack(">6H", 65535, 0, 32896, 0, 65535, 257)
    image = decode(png(2, 1, depth=16, colour=2, rows=rgb_row), name="a.png")
    np.testing.assert_array_equal(image.rgb, [[[255, 0, 128], [0, 255, 1]]])
    assert image.notes == ("16-bit reduced to 8-bit",)
    values = np.arange(65536, dtype=np.uint16).reshape(512, 128)
    image = decode(saved(Image.fromarray(values), "PNG"), name="a.png")
    np.testing.assert_array_equal(image.rgb, np.rint(values / 257)[..., None].repeat(3, axis=2))
    assert image.notes == ("16-bit reduced to 8-bit",)


def test_cmyk_and_a_jpeg_with_more_than_one_picture() -> None:
    image = decode(saved(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=95), name="a.jpg")
    red, green, blue = image.rgb[8, 8]
    assert red > 245 and green < 10 and blue < 10
    assert "CMYK" in image.notes[0]
    of_a_phone = decode(saved(quarters(), "MPO", save_all=True, append_images=[quarters(16)]), name="phone.jpg")
    assert (of_a_phone.kind, of_a_phone.original_size, of_a_phone.notes) == ("JPEG", (32, 32), ())


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_the_first_frame_of_an_animation(kind: str) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in (RED, GREEN, BLUE)]
    data = saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
    image = decode(data, name="a")

    assert quarter_colours(image.rgb)[0] == RED
    assert image.notes == ("first frame of an animation",)


@pytest.mark.parametrize(
    ("kind", "size"),
    [("PNG", (1, 1)), ("PNG", (1, 20000)), ("JPEG", (20000, 3)), ("GIF", (20000, 1)), ("BMP", (1, 20000))],
)
def test_extreme_sizes_of_every_kind_give_a_picture(kind: str, size: tuple[int, int]) -> None:
    image = decode(saved(Image.new("RGB", size, (50, 100, 150)), kind), name="a")
    assert image.original_size == size
    for wanted in ((32, 32), (224, 224), (20, 60)):
        seen = fit(image.rgb, size=wanted)
        assert seen.shape == (*wanted, 3)
        assert np.abs(seen.astype(int) - (50, 100, 150)).max() <= (0 if kind == "PNG" else 6)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_large_pictures_come_back_smaller_and_look_the_same(kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    small = photo(100, 75)
    large = small.resize((1600, 1200), Image.Resampling.BICUBIC)
    image = decode(saved(large, kind, exif=exif), name="a")

    assert image.original_size == (1200, 1600)
    assert images.WORKING_SIDE <= min(image.rgb.shape[:2]) < 2 * images.WORKING_SIDE
    upright = np.asarray(small.transpose(Image.Transpose.ROTATE_270))
    difference = fit(image.rgb, size=(32, 32)).astype(int) - fit(upright, size=(32, 32))
    assert np.abs(difference).mean() < 4


def webp(layout: bytes, body: bytes) -> bytes:
    chunk = b"WEBP" + layout + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(chunk)) + chunk


def gif_of_a_huge_frame() -> bytes:
    """Return a picture of one pixel with a frame of 4,295 megapixels."""
    frame = b"," + struct.pack("<4H", 0, 0, 65535, 65535) + b"\0" + b"\x02\x02\x4c\x01\0" + b";"
    return b"GIF89a" + struct.pack("<2H", 1, 1) + b"\x80\0\0" + b"\0\0\0\xff\xff\xff" + frame


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        *(
            ("bomb.png", png(*size, rows=b"\0" * 1000), r"pixels.*at most 65 megapixels.*Scale it down")
            for size in ((60000, 60000), (20001, 1), (9000, 9000))
        ),
        ("bomb.webp", webp(b"VP8X", b"\0\0\0\0" + b"\x3f\x1f\0" * 2), "8,000 x 8,000 pixels.*at most 40 mega"),
        ("bomb.webp", webp(b"VP8L", b"\x2f\xff\xff\xff\x0f" + b"\0" * 9), "16,384 x 16,384 pixels"),
        ("bomb.webp", webp(b"VP8 ", b"\x30\x01\0\x9d\x01\x2a\xff\x3f\xff\x3f"), "16,383 x 16,383 pixels"),
        ("bomb.gif", gif_of_a_huge_frame(), "at most 65 megapixels"),
    ],
)
def test_headers_that_claim_too_much_are_refused_before_decoding(name: str, content: bytes, reason: str) -> None:
    with pytest.raises(ImageError, match=f"^{name} has .*{reason}"):
        decode(content, name=name)


def test_too_many_bytes(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"big\.png has 25\.5 MB; at most 25 MB are read\. Save it as JPEG"):
        decode(bytes(25_500_000), name="big.png")
    path = tmp_path / "big.png"
    path.write_bytes(bytes(25_500_000))
    with pytest.raises(ImageError, match="at most 25 MB"):
        images.read(path)


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("photo.png", b"Dear diary, caf\xc3\xa9", "photo.png is really a text file"),
        ("notes.txt", b"a" * 4095 + "ü".encode(), "a text file"),
        ("paper.pdf", b"%PDF-1.7\n%\xe2\xe3", "a PDF document"),
        ("IMG_1.HEIC", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC image.*Export it as JPEG"),
        ("a.svg", b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing.*as PNG"),
        ("otter.jpg", b"<!DOCTYPE html><html><svg></svg></html>", "otter.jpg is really a web page"),
        ("a.zip", b"PK\x03\x04\x14\0", "Unpack it"),
        ("scan.tif", b"II*\0\x08\0\0\0", "a TIFF image.*save it as PNG or JPEG"),
        ("a.bin", bytes(range(256)) * 20, "of an unknown kind"),
        ("a.bin", b"RIFF\0\0\0\0WAVEfmt ", "of an unknown kind"),
    ],
)
def test_other_files_are_refused_by_name(name: str, data: bytes, expected: str) -> None:
    with pytest.raises(ImageError, match=rf"(?s)^{name}.*{expected}|^{expected}") as caught:
        decode(data, name=name)
    assert "expected a PNG, JPEG, WebP, BMP or GIF image" in str(caught.value)


def test_an_ending_that_contradicts_the_content_is_refused_with_the_right_one() -> None:
    for kind, name, ending in (("PNG", "otter.jpg", "png"), ("JPEG", "otter.heic", "jpg")):
        with pytest.raises(ImageError, match=f"really a {kind} image.*end in .{ending}"):
            decode(saved(quarters(), kind), name=name)
    for name in ("otter", "otter.0001", "otter.photo", "otter.jfif", "OTTER.JPG ", ".jpg", ""):
        assert decode(saved(quarters(), "JPEG"), name=name).kind == "JPEG"


@pytest.mark.parametrize("kind", ENDINGS)
def test_a_file_that_is_cut_short_or_damaged_is_refused_or_gives_a_picture(kind: str) -> None:
    data = saved(photo(), kind)
    whole = decode(data, name="a").rgb
    refused = 0
    for cut in range(1, len(data), max(1, len(data) // 60)):
        try:
            image = decode(data[:cut], name="cut")
        except ImageError as error:
            assert str(error).startswith("cut ")
            refused += 1
        else:  # only the trailer is missing: all pixels are there
            np.testing.assert_array_equal(image.rgb, whole)
    assert refused >= 55
    rng = np.random.default_rng(1)
    for _ in range(150):
        damaged = bytearray(data)
        for position in rng.integers(0, min(len(data), rng.choice([40, len(data)])), size=4):
            damaged[position] = rng.integers(256)
        with suppress(ImageError):
            assert decode(bytes(damaged), name="damaged").rgb.shape[2] == 3


def test_a_png_whose_text_unpacks_to_gigabytes() -> None:
    bomb = png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"a" * 5_000_000))
    with pytest.raises(ImageError, match="cut short or damaged"):
        decode(png(1, 1, rows=b"\0\0", extra=bomb), name="a.png")


@cache
def of_many_parts() -> dict[str, bytes]:
    """Return small valid pictures that take a decoder long."""
    jpeg, scans = saved(photo(), "JPEG"), saved(Image.new("RGB", (64, 64), "red"), "JPEG", progressive=True)
    # The header claims 3000 x 3000 pixels.
    scans = scans.replace(struct.pack(">HH", 64, 64), struct.pack(">HH", 3000, 3000))
    gif = saved(quarters(), "GIF")
    start = gif.index(b",\0\0\0\0")
    last_scan = scans[scans.rindex(b"\xff\xda") : -2]
    runs = struct.pack("<IiiHHIIiiII", 40, 4000, 4000, 1, 8, 1, 0, 0, 0, 256, 0) + bytes(1024) + b"\1\1" * 400_000
    return {
        "chunks.png": png(1, 1, rows=b"\0\0", extra=png_chunk(b"abCd", b"") * 200_000),
        "exif.jpg": jpeg[:2] + b"\xff\xe1\0\x09Exif\0\0M" * 300_000 + jpeg[2:],
        "scans.jpg": scans[:-2] + last_scan * 5000 + scans[-2:],
        "comments.gif": gif[:start] + b"\x21\xfe\x01x\0" * 400_000 + gif[start:],
        "runs.bmp": b"BM" + struct.pack("<IHHI", 54 + 1024 + 800_000, 0, 0, 54 + 1024) + runs,
    }


@pytest.mark.parametrize("name", of_many_parts())
def test_a_picture_of_too_many_parts_is_not_waited_for(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_SECONDS", 0.05)
    content, began = of_many_parts()[name], time.thread_time()
    with pytest.raises(ImageError, match=f"^{name} takes too long to read"):
        decode(content, name=name)
    assert time.thread_time() - began < 3.0


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\nb\r\n\tc.png", "a b c.png"),
        ("", "(no name)"),
        ("\x1b[31mred\x00.png", "\N{REPLACEMENT CHARACTER}[31mred\N{REPLACEMENT CHARACTER}.png"),
        ("gpj.\N{RIGHT-TO-LEFT OVERRIDE}exe", "gpj.\N{REPLACEMENT CHARACTER}exe"),
        ("\udcff.png", "\N{REPLACEMENT CHARACTER}.png"),
        ("می\u200cخواهم 👩\u200d🔬.png", "می\u200cخواهم 👩\u200d🔬.png"),
        ("ot\u200cter\u200d.png", "ot\N{REPLACEMENT CHARACTER}ter\N{REPLACEMENT CHARACTER}.png"),
    ],
)
def test_display_name(name: str, shown: str) -> None:
    assert display_name(name) == shown
    with pytest.raises(ImageError) as caught:
        decode(b"", name=name)
    assert str(caught.value).startswith(shown + " is empty")
    long = display_name("a" * 5000 + ".png")
    assert len(long) == images.MAX_NAME and long.endswith(".png") and "..." in long


@pytest.mark.parametrize("path", ["missing.png", "nul\0.png", "x" * 5000])
def test_reading_hostile_paths(path: str) -> None:
    with pytest.raises(ImageError, match="cannot be (found|read)"):
        images.read(Path(path))


SQUARE = (8, 8)


def thirds() -> np.ndarray:
    """Return three squares side by side: 50, 150 and 250."""
    picture = np.zeros((10, 30, 3), np.uint8)
    for number, value in enumerate((50, 150, 250)):
        picture[:, 10 * number : 10 * number + 10] = value
    return picture


@pytest.mark.parametrize(("position", "value"), [(0.0, 50), (0.5, 150), (1.0, 250)])
@pytest.mark.parametrize("tall", [False, True])
def test_the_part_lies_where_the_position_says(position: float, value: int, tall: bool) -> None:
    picture = thirds().transpose(1, 0, 2) if tall else thirds()
    assert (fit(picture, size=SQUARE, position=position) == value).all()
    assert (fit(picture, size=SQUARE) == 150).all(), "the middle, if nobody says otherwise"


def test_a_picture_is_cut_unless_only_a_pixel_is_lost_and_copied_where_it_fits() -> None:
    assert "only the middle 33.3%" in framing_note(thirds(), size=SQUARE) and is_cut((64, 48), size=(32, 32))
    assert framing_note(thirds()[:, :20], size=SQUARE) == "", "half of it"
    assert not is_cut((33, 33), size=(32, 32))
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    same = fit(picture, size=(32, 32), position=1.0)
    np.testing.assert_array_equal(same, picture)
    assert not np.shares_memory(same, picture)


def test_fit_turns_fine_patterns_grey_and_keeps_places_and_means() -> None:
    checks = (np.indices((333, 333)).sum(axis=0) % 2 * 255).astype(np.uint8)
    seen = fit(np.repeat(checks[..., None], 3, axis=2), size=(32, 32))
    assert np.abs(seen.astype(int) - 127).max() <= 30 and abs(seen.mean() - 127.5) <= 2
    picture = photo(96, 96)
    expected = np.asarray(picture, dtype=float).reshape(32, 3, 32, 3, 3).mean(axis=(1, 3))
    assert np.abs(fit(np.asarray(picture), size=(32, 32)) - expected).max() <= 6
