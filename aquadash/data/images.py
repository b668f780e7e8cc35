"""Untrusted image files to upright RGB pictures; :mod:`~aquadash.data.framing` scales them to a network's size.

PNG, JPEG, WebP, BMP and GIF are admitted, by their content. Any other file, and a damaged or too large one, raises an
:class:`~aquadash.errors.ImageError` that names the file and the remedy.
"""

import contextlib
import io
import os
import re
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from aquadash.data.image_kinds import ADMITTED_TEXT, kind_of, kind_promised_by
from aquadash.errors import ImageError

#: The largest file in bytes. A photograph of 12 megapixels has 3 to 8 MB as JPEG and up to 25 MB as PNG.
MAX_BYTES = 25_000_000
#: The most pixels, 200 MB when decoded. Phones take up to 50 and 64 megapixels (8192 x 6144, 9248 x 6936).
MAX_PIXELS = 65_000_000
#: The most pixels of a WebP, whose decoder needs 1.03 GB for 64 megapixels.
MAX_WEBP_PIXELS = 40_000_000
#: The longest side in pixels. Panoramas of phones have about 16,000.
MAX_SIDE = 20_000
#: The least shorter side, in pixels, to which large pictures are reduced; networks take 32 to 331.
WORKING_SIDE = 512
#: The most seconds of work for a picture. 65 megapixels take 1 to 2, but a small file can have millions of parts.
MAX_SECONDS = 4.0
#: Rows of a 16-bit picture that are converted to 8 bits at a time.
_ROWS = 64
#: The longest file name in a message, in characters.
MAX_NAME = 60
#: Emoji and scripts from Hebrew to Mongolian are spelled with joiners; elsewhere joiners are invisible letters.
_JOINED = "[\u0590-\u109f\u1700-\u1cff\u2190-\u2bff\ua800-\uaaff\ufe0f\U0001f000-\U0001faff]"
_JOINER = re.compile(f"(?<={_JOINED})[\u200c\u200d](?={_JOINED})")
#: The largest file in bytes that is not shrunk.
SHRINK_BYTES = 500_000

#: The changes that decoding can make to a picture, for people.
_NOTES = (
    _FIRST_FRAME := "first frame of an animation",
    _EIGHT_BITS := "16-bit reduced to 8-bit",
    _ON_WHITE := "transparency filled with white",
    _FROM_CMYK := "converted from the printing colours CMYK, which changes them a little",
    _TURNED := "turned upright by its EXIF tag",
)
#: The comment in a shrunk file: width and height of the original, and the numbers of its notes.
_SHRUNK = re.compile(r"aquadash ([1-9][0-9]{0,4})x([1-9][0-9]{0,4})((?: [0-4])*)")

# Pillow warns about pictures within our limits, and about each damaged EXIF entry.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

#: The turn that makes a picture upright, by EXIF orientation: tag 0x0112, EXIF 2.32 (CIPA DC-008), section 4.6.5.1.
_UPRIGHT: dict[int, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION_TAG = 0x0112


@dataclass(frozen=True, eq=False)
class DecodedImage:
    """A picture, upright and in plain RGB."""

    #: uint8, shape (height, width, 3); a large original is reduced.
    rgb: NDArray[np.uint8]
    #: The width and height of the upright original in pixels.
    original_size: tuple[int, int]
    #: The format: ``"PNG"``, ``"JPEG"``, ``"WebP"``, ``"BMP"`` or ``"GIF"``.
    kind: str
    #: The changes made to it, one phrase each, such as ``"turned upright by its EXIF tag"``.
    notes: tuple[str, ...]


def mark_invisible(text: str) -> str:
    """Replace control and invisible characters by a visible mark, except blanks and joiners of the spelling."""
    spelled = {match.start() for match in _JOINER.finditer(text)}
    return "".join(
        letter if letter.isprintable() or letter.isspace() or at in spelled else "\N{REPLACEMENT CHARACTER}"
        for at, letter in enumerate(text)
    )


def display_name(name: str) -> str:
    """Return a file name as one short line of plain text, in which the caller escapes HTML and Markdown."""
    line = " ".join(mark_invisible(name).split())
    if len(line) > MAX_NAME:
        tail = MAX_NAME // 2
        line = f"{line[: MAX_NAME - tail - 3]}...{line[-tail:]}"
    return line or "(no name)"


def read(path: Path) -> bytes:
    """Return the bytes of an image file."""
    shown = display_name(str(path))
    try:
        # Regular files only: a named pipe may block forever, and a device may never end.
        if not path.is_file():
            what = "is a folder, not an image" if path.is_dir() else "cannot be found"
            raise ImageError(f"{shown} {what}. Give the path of an image file ({ADMITTED_TEXT}).")
        with path.open("rb") as file:
            _check_bytes(os.fstat(file.fileno()).st_size, shown)
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path.
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise ImageError(f"{shown} cannot be read: {reason}. Check its path and permissions.") from error


def decode(data: bytes, *, name: str, working_side: int = WORKING_SIDE) -> DecodedImage:
    """Decode the (first) picture of an image file.

    Args:
        name: The file's name, for messages and to refuse an ending that contradicts the content.
        working_side: The least shorter side, in pixels, to which a large picture is reduced.
    """
    shown = display_name(name)
    _check_bytes(len(data), shown)
    kind = kind_of(data)
    promised = kind_promised_by(name)
    if kind.mend:
        really = "" if promised in (None, kind.name) else "really "
        raise ImageError(f"{shown} is {really}{kind.title}; expected a {ADMITTED_TEXT} image. {kind.mend}")
    if promised is not None and promised != kind.name:
        raise ImageError(
            f"{shown} is really {kind.title}: its name does not match its content. "
            f"Rename it to end in .{kind.endings.split()[0]} and add it again."
        )
    try:
        return _decode(data, kind=kind.name, shown=shown, working_side=working_side)
    except ImageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(_too_large(shown, "far too many pixels")) from error
    except MemoryError as error:
        raise ImageError(f"{shown} needs more memory than there is. Scale it down and add it again.") from error
    except Exception as error:
        # Decoders of damaged files raise SyntaxError, struct.error, OSError, ValueError, zlib.error and others.
        raise ImageError(
            f"{shown} cannot be read to its end: its {kind.name} data is cut short or damaged. "
            "Save or download it once more and add the new copy."
        ) from error


def shrink(data: bytes, *, name: str) -> bytes:
    """Reduce a large JPEG or PNG to the size that :func:`decode` works at; return any other file unchanged.

    Pixels of a JPEG, saved at quality 95, differ by at most 1 of 255 for a network that takes 32 x 32 pixels.
    """
    if len(data) <= SHRINK_BYTES:
        return data
    try:
        picture = decode(data, name=name)
    except ImageError:
        return data
    width, height = picture.original_size
    comment = " ".join([f"aquadash {width}x{height}", *(str(_NOTES.index(note)) for note in picture.notes)])
    target = io.BytesIO()
    if picture.kind == "JPEG":
        Image.fromarray(picture.rgb).save(target, "JPEG", quality=95, subsampling=0, comment=comment)
    elif picture.kind == "PNG":
        text = PngInfo()
        text.add_text("comment", comment)
        Image.fromarray(picture.rgb).save(target, "PNG", compress_level=1, pnginfo=text)
    else:
        return data
    return min(target.getvalue(), data, key=len)


class _InTime(io.BytesIO):
    """The bytes of a picture; reading raises an error after :data:`MAX_SECONDS` of decoding."""

    def __init__(self, data: bytes, shown: str) -> None:
        super().__init__(data)
        self._shown = shown
        # CPU time of this thread, so that a busy computer refuses no more pictures than an idle one.
        self._end = time.thread_time() + MAX_SECONDS

    def read(self, size: int | None = -1, /) -> bytes:
        if time.thread_time() > self._end:
            raise ImageError(
                f"{self._shown} takes too long to read: it is made of far too many parts, or has far too many pixels. "
                "Open it in a picture program, save it anew and add that."
            )
        return super().read(size)


def _check_bytes(count: int, shown: str) -> None:
    if count == 0:
        raise ImageError(f"{shown} is empty (0 bytes). Save or download it once more and add the new copy.")
    if count > MAX_BYTES:
        raise ImageError(
            f"{shown} has {count / 1e6:.1f} MB; at most {MAX_BYTES / 1e6:.0f} MB are read. "
            "Save it as JPEG or scale it down and add it again."
        )


def _too_large(shown: str, what: str, most: int = MAX_PIXELS) -> str:
    return (
        f"{shown} has {what}; at most {most / 1e6:.0f} megapixels and {MAX_SIDE:,} pixels a side are read. "
        "Scale it down and add it again."
    )


def _decode(data: bytes, *, kind: str, shown: str, working_side: int) -> DecodedImage:
    """Decode bytes that begin like ``kind``; the decoder's own exceptions pass."""
    _check_size(_webp_size(data) if kind == "WebP" else None, shown, MAX_WEBP_PIXELS)
    with Image.open(_InTime(data, shown), formats=(kind.upper(),)) as picture:
        # Pillow has only read the header yet, so a file that unpacks to gigabytes is refused in time.
        _check_size(picture.size, shown)
        width, height = picture.size
        notes: list[str] = []
        # Further pictures of a JPEG are previews and depth maps, not an animation.
        if kind != "JPEG" and getattr(picture, "is_animated", False):
            notes.append(_FIRST_FRAME)
        # JPEG can be decoded at 1/2, 1/4 or 1/8 of its size for a fraction of the time; other formats ignore this.
        picture.draft(None, (working_side, working_side))
        if kind == "JPEG":
            # Small reads, so that the time is checked often: a kilobyte can hold a hundred scans of the picture.
            picture.decodermaxblock = 2048
        picture.load()
        orientation = _orientation(picture)
        if kind == "PNG" and data[24] == 16:  # The bit depth: PNG specification, section 11.2.1.
            notes.append(_EIGHT_BITS)
        flat = _as_rgb(picture, notes, working_side)
    if orientation in _UPRIGHT:
        flat = flat.transpose(_UPRIGHT[orientation])
        notes.append(_TURNED)
        if orientation >= 5:
            width, height = height, width
    comment = picture.info.get("comment", "")
    if shrunk := _SHRUNK.fullmatch(comment.decode("latin-1") if isinstance(comment, bytes) else str(comment)):
        width, height = int(shrunk[1]), int(shrunk[2])
        notes += [_NOTES[int(number)] for number in shrunk[3].split()]
    return DecodedImage(np.array(flat), (width, height), kind, tuple(notes))


def _check_size(size: tuple[int, int] | None, shown: str, most: int = MAX_PIXELS) -> None:
    if size is not None and (size[0] * size[1] > most or max(size) > MAX_SIDE):
        megapixels = size[0] * size[1] / 1e6
        raise ImageError(_too_large(shown, f"{size[0]:,} x {size[1]:,} pixels ({megapixels:,.1f} megapixels)", most))


def _webp_size(data: bytes) -> tuple[int, int] | None:
    """Return width and height in a WebP header (RFC 9649, sections 2.5 to 2.7); None without such a header."""
    # Pillow allocates the whole canvas when it opens a WebP file, so the size is checked before.
    if len(data) < 30:
        return None
    layout = data[12:16]
    if layout == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if layout == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if layout == b"VP8 ":
        return int.from_bytes(data[26:28], "little") & 0x3FFF, int.from_bytes(data[28:30], "little") & 0x3FFF
    return None


def _orientation(picture: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8; 1 (upright) for missing or damaged EXIF."""
    with contextlib.suppress(Exception):
        value = picture.getexif().get(_ORIENTATION_TAG, 1)
        return value if isinstance(value, int) else 1
    return 1


def _as_rgb(picture: Image.Image, notes: list[str], working_side: int) -> Image.Image:
    """Turn a loaded picture of any mode into RGB, reduced to the working size; add the changes to ``notes``."""
    if picture.mode == "I;16":
        # Reduce it while it is grey: 16-bit and RGB copies at full size would need more memory than any other picture.
        picture = _reduced(_in_eight_bits(picture), working_side)
    if picture.has_transparency_data:
        picture = _reduced(picture if picture.mode in ("RGBA", "LA") else picture.convert("RGBA"), working_side)
        alpha = picture.getchannel("A")
        if alpha.getextrema()[0] == 255:
            return picture.convert("RGB")
        notes.append(_ON_WHITE)
        white = Image.new("RGB", picture.size, "white")
        white.paste(picture.convert("RGB"), mask=alpha)
        return white
    if picture.mode == "CMYK":
        notes.append(_FROM_CMYK)
    # Converting RGB to RGB would copy it at full size.
    return _reduced(picture if picture.mode == "RGB" else picture.convert("RGB"), working_side)


def _in_eight_bits(picture: Image.Image) -> Image.Image:
    """Convert a grey picture from 16 bits, a few rows at a time to save memory."""
    grey = Image.new("L", picture.size)
    for top in range(0, picture.height, _ROWS):
        rows = np.asarray(picture.crop((0, top, picture.width, min(top + _ROWS, picture.height))), dtype=np.uint32)
        # 65535 / 255 = 257: the range of 16 bits is scaled to that of 8. Pillow itself would clip at 255.
        grey.paste(Image.fromarray(((rows + 128) // 257).astype(np.uint8)), (0, top))
    return grey


def _reduced(picture: Image.Image, working_side: int) -> Image.Image:
    """Shrink a picture by the largest whole factor that keeps its shorter side at ``working_side`` or more."""
    factor = min(picture.size) // working_side
    return picture.reduce(factor) if factor > 1 else picture
