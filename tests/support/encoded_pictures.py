"""Pictures as the bytes of files, odd ones too, for the tests of what reads them."""

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
ENDINGS = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp", "BMP": "bmp", "GIF": "gif"}


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    """The picture as a file of that kind."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def quarters(size: int = 32) -> Image.Image:
    """Red and green above blue and white: no turn or mirror image of it is the same."""
    half = size // 2
    picture = Image.new("RGB", (size, size), WHITE)
    picture.paste(RED, (0, 0, half, half))
    picture.paste(GREEN, (half, 0, size, half))
    picture.paste(BLUE, (0, half, half, size))
    return picture


def photo(width: int = 96, height: int = 64) -> Image.Image:
    pixels = np.random.default_rng(7).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, *, depth: int = 8, colour: int = 0, rows: bytes = b"", extra: bytes = b"") -> bytes:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + extra + png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")


def quarter_colours(rgb: np.ndarray) -> list[tuple[int, ...]]:
    """The middle colours of the four quarters, each channel as 0 or 255: left above, right above, left below, ..."""
    height, width = rgb.shape[:2]
    points = [(height // 4, width // 4), (height // 4, 3 * width // 4), (3 * height // 4, width // 4)]
    points.append((3 * height // 4, 3 * width // 4))
    return [tuple(255 if value > 127 else 0 for value in rgb[y, x]) for y, x in points]
