"""What is no picture, or not the one that its name says, is refused by its name; and how names are shown."""

from __future__ import annotations

import struct
import subprocess
import sys
import time
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aquadash.data import images
from aquadash.data.image_kinds import kind_of
from aquadash.data.images import decode, display_name
from aquadash.errors import ImageError
from tests.encoded_pictures import ENDINGS, photo, png, png_chunk, quarters, saved
from tests.serving import ROOT


def test_a_large_picture_is_refused_without_a_word_on_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    Image.new("1", (12_000, 9_000)).save(path)
    program = (
        "import sys; from aquadash.data.images import decode; decode(open(sys.argv[1], 'rb').read(), name='a.png')"
    )
    ended = subprocess.run([sys.executable, "-c", program, path], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ended.stderr.splitlines()[-1].startswith("aquadash.errors.ImageError") and "Warning" not in ended.stderr


def test_empty() -> None:
    with pytest.raises(ImageError, match=r"a\.png is empty \(0 bytes\)"):
        decode(b"", name="a.png")


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("photo.png", b"Dear diary, caf\xc3\xa9", "photo.png is really a text file"),
        ("notes.txt", b"BMW makes cars and this is a text", "notes.txt is a text file"),
        ("notes.txt", "Grüße".encode("utf-16"), "a text file"),
        ("paper.pdf", b"%PDF-1.7\n%\xe2\xe3", "a PDF document"),
        ("IMG_1.HEIC", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC image.*Export it as JPEG"),
        ("a.avif", b"\0\0\0\x1cftypavif\0\0\0\0", "an AVIF image"),
        ("a.mp4", b"\0\0\0\x18ftypmp42\0\0\0\0", "a video"),
        ("a.svg", b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing.*as PNG"),
        ("otter.jpg", b"<!DOCTYPE html><html><svg></svg></html>", "otter.jpg is really a web page"),
        ("a.zip", b"PK\x03\x04\x14\0", "Unpack it"),
        ("a.psd", b"8BPS\0\1", "a Photoshop document"),
        ("a.ico", b"\0\0\1\0\1\0", "a Windows icon"),
        ("a.jxl", b"\xff\x0a\xfa", "a JPEG XL image"),
        ("a.bin", bytes(range(256)) * 20, "of an unknown kind"),
        ("a.bin", b"RIFF\0\0\0\0WAVEfmt ", "of an unknown kind"),
        ("x", b"\x89PNG", "of an unknown kind"),
    ],
)
def test_other_files_are_refused_by_name(name: str, data: bytes, expected: str) -> None:
    with pytest.raises(ImageError, match=rf"(?s)^{name}.*{expected}|^{expected}") as caught:
        decode(data, name=name)
    assert "expected a PNG, JPEG, WebP, BMP or GIF image" in str(caught.value)


def test_tiff_is_refused_by_name() -> None:
    with pytest.raises(ImageError, match="a TIFF image.*save it as PNG or JPEG"):
        decode(saved(quarters(), "TIFF"), name="scan.tif")


@pytest.mark.parametrize(
    ("kind", "name", "advice"),
    [
        ("PNG", "otter.jpg", "really a PNG image.*end in .png"),
        ("WEBP", "otter.JPEG", "really a WebP image.*end in .webp"),
        ("JPEG", "otter.heic", "really a JPEG image.*end in .jpg"),
        ("GIF", "otter.txt", "really a GIF image.*end in .gif"),
    ],
)
def test_mislabelled_images_are_refused_with_their_right_name(kind: str, name: str, advice: str) -> None:
    with pytest.raises(ImageError, match=advice):
        decode(saved(quarters(), kind), name=name)


@pytest.mark.parametrize("name", ["otter", "otter.0001", "otter.photo", "otter.jfif", "OTTER.JPG ", ".jpg", ""])
def test_endings_that_do_not_contradict_are_accepted(name: str) -> None:
    assert decode(saved(quarters(), "JPEG"), name=name).kind == "JPEG"


@pytest.mark.parametrize("kind", ENDINGS)
def test_a_file_cut_short_is_refused_or_whole(kind: str) -> None:
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


@pytest.mark.parametrize("kind", ENDINGS)
def test_damaged_bytes_raise_nothing_but_image_errors(kind: str) -> None:
    data = saved(photo(), kind)
    rng = np.random.default_rng(1)
    for _ in range(150):
        damaged = bytearray(data)
        for position in rng.integers(0, min(len(data), rng.choice([40, len(data)])), size=4):
            damaged[position] = rng.integers(256)
        try:
            image = decode(bytes(damaged), name="damaged")
        except ImageError:
            continue
        assert image.rgb.ndim == 3 and image.rgb.shape[2] == 3


def test_a_png_whose_text_unpacks_to_gigabytes() -> None:
    bomb = png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"a" * 50_000_000))
    with pytest.raises(ImageError, match="cut short or damaged"):
        decode(png(1, 1, rows=b"\0\0", extra=bomb), name="a.png")


def of_many_parts() -> dict[str, bytes]:
    """Small sound pictures that a decoder takes long to get through."""
    jpeg, scans = saved(photo(), "JPEG"), saved(Image.new("RGB", (64, 64), "red"), "JPEG", progressive=True)
    # Of 8000 x 8000 pixels, it says.
    scans = scans.replace(struct.pack(">HH", 64, 64), struct.pack(">HH", 8000, 8000))
    gif = saved(quarters(), "GIF")
    start = gif.index(b",\0\0\0\0")
    last_scan = scans[scans.rindex(b"\xff\xda") : -2]
    runs = struct.pack("<IiiHHIIiiII", 40, 4000, 4000, 1, 8, 1, 0, 0, 0, 256, 0) + bytes(1024) + b"\1\1" * 400_000
    return {
        "chunks.png": png(1, 1, rows=b"\0\0", extra=png_chunk(b"abCd", b"") * 200_000),
        "profiles.png": png(
            1, 1, rows=b"\0\0", extra=png_chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(1_000_000))) * 400
        ),
        "filled.jpg": jpeg[:2] + b"\xff" * 2_000_000 + jpeg[2:],
        "segments.jpg": jpeg[:2] + b"\xff\xe0\0\2" * 300_000 + jpeg[2:],
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


def test_grey_of_16_bits_takes_little_memory() -> None:
    content = saved(Image.fromarray(np.full((2000, 2000), 40_000, np.uint16)), "PNG")
    tracemalloc.start()
    image = decode(content, name="a.png")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert image.rgb.shape == (667, 667, 3) and set(np.unique(image.rgb)) == {156} and peak < 30_000_000


# ---- names ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("otter.png", "otter.png"),
        ("a\nb\r\n\tc.png", "a b c.png"),
        ("", "(no name)"),
        (" \n ", "(no name)"),
        ("\x1b[31mred\x00.png", "\N{REPLACEMENT CHARACTER}[31mred\N{REPLACEMENT CHARACTER}.png"),
        ("gpj.\N{RIGHT-TO-LEFT OVERRIDE}exe", "gpj.\N{REPLACEMENT CHARACTER}exe"),
        ("\udcff.png", "\N{REPLACEMENT CHARACTER}.png"),
        ("../../etc/passwd", "../../etc/passwd"),
        ("<b>fett</b> **x**.png", "<b>fett</b> **x**.png"),
        ("🦦 Seeotter.png", "🦦 Seeotter.png"),
    ],
)
def test_display_name(name: str, shown: str) -> None:
    assert display_name(name) == shown
    with pytest.raises(ImageError) as caught:
        decode(b"", name=name)
    assert str(caught.value).startswith(shown + " is empty")


def test_long_names_are_shortened_in_the_middle() -> None:
    shown = display_name("a" * 5000 + ".png")
    assert len(shown) == images.MAX_NAME and shown.endswith(".png") and "..." in shown


@pytest.mark.parametrize("path", ["missing.png", "nul\0.png", "x" * 5000])
def test_reading_hostile_paths(path: str) -> None:
    with pytest.raises(ImageError, match="cannot be (found|read)"):
        images.read(Path(path))


def test_kind_of_text_survives_a_letter_split_by_the_cut() -> None:
    assert kind_of(("x" * 4095 + "é" * 10).encode()).name == "text"
