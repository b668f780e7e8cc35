"""Odd and bad files on the Predict page: every one gets its bars or its message."""

from __future__ import annotations

import html

import numpy as np
from PIL import Image

from aquadash.runs import Run
from tests.encoded_pictures import png, saved
from tests.predict_page import cards, drop, open_page
from tests.stored_runs import HOSTILE


def odd_pictures() -> dict[str, tuple[bytes, str]]:
    """File names and contents, with a part of what the card must say beside the bars."""
    red = Image.new("RGB", (24, 24), "red")
    frames = {"save_all": True, "append_images": [Image.new("RGB", (24, 24), "blue")], "duration": 100}
    palette = red.quantize(4)
    turned = Image.Exif()
    turned[0x0112] = 6
    grey16 = Image.fromarray(np.full((8, 8), 40_000, np.uint16))
    rgb16 = b"\0" + b"\xff\xff\0\0\0\0" * 2
    return {
        "grey.png": (saved(red.convert("L"), "PNG"), ""),
        "grey16.png": (saved(grey16, "PNG"), "16-bit"),
        "rgb16.png": (png(2, 1, depth=16, colour=2, rows=rgb16), "16-bit"),
        "palette.png": (saved(palette, "PNG", transparency=0), "transparency filled with white"),
        "alpha.webp": (saved(red.convert("RGBA"), "WEBP", lossless=True), ""),
        "cmyk.jpg": (saved(red.convert("CMYK"), "JPEG"), "CMYK"),
        "turned.jpg": (saved(red, "JPEG", exif=turned), "turned upright"),
        "moving.gif": (saved(red, "GIF", **frames), "first frame"),
        HOSTILE + ".webp": (saved(red, "WEBP", **frames), "first frame"),
        "dot.bmp": (saved(red.resize((1, 1)), "BMP"), ""),
        "line.png": (saved(red.resize((1, 20_000)), "PNG"), "the mean over"),
        "noending": (saved(red, "PNG"), ""),
        "a" * 300 + ".png": (saved(red, "PNG"), "aaa...aaa"),
        "gpj.\N{RIGHT-TO-LEFT OVERRIDE}exe.png": (saved(red, "PNG"), "gpj.\N{REPLACEMENT CHARACTER}exe"),
        "../../etc/pass\twd\x1b[31m.png": (saved(red, "PNG"), "../../etc/pass wd\N{REPLACEMENT CHARACTER}"),
    }


def bad_pictures() -> dict[str, tuple[bytes, str]]:
    """File names and contents, with a part of what the card must say in place of an answer."""
    whole = saved(Image.effect_noise((64, 64), 50), "JPEG")
    return {
        "bomb.png": (png(60_000, 60_000, rows=b"\0" * 1000), "at most 65 megapixels"),
        "long.bmp": (bmp_header(30_000, 10), "at most 65 megapixels"),
        HOSTILE + ".gif": (whole, "really a JPEG image"),
        "cut.jpg": (whole[: len(whole) // 2], "cut short or damaged"),
        "web<script>page.png": (b"<html><script>alert(1)</script></html>", "really a web page"),
    }


def bmp_header(width: int, height: int) -> bytes:
    """A BMP file without its pixels."""
    size, pixels = (number.to_bytes(4, "little") for number in (54, 54))
    sides = width.to_bytes(4, "little") + height.to_bytes(4, "little")
    return b"BM" + size + bytes(4) + pixels + (40).to_bytes(4, "little") + sides + b"\1\0\x18\0" + bytes(24)


def test_every_odd_picture_of_a_drop_has_its_bars_and_every_bad_one_its_message(colours: Run) -> None:
    odd, bad = odd_pictures(), bad_pictures()
    files = [(name, content, "image/png") for name, (content, _) in (odd | bad).items()]
    app = drop(open_page(run=colours.run_id), *files)

    assert len(cards(app)) == len(files) == 20
    for card, (name, (_, expected)) in zip(cards(app), (odd | bad).items(), strict=True):
        assert ("aqua-bars" in card) == (name in odd), name
        assert ("🚧" in card) == (name in bad), name
        assert expected in html.unescape(card), name
        assert "<script" not in card and "<img src=x" not in card
        assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in card and "\x1b" not in card
    assert sum("&lt;img src=x" in card for card in cards(app)) == 2
    assert any("without an answer: 5" in block.value for block in app.markdown)
