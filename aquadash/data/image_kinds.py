"""What kind of file some bytes are, told by their first bytes, and what kind a file name promises."""

from __future__ import annotations

import codecs
import os
import re
from dataclasses import dataclass

#: The admitted formats, for messages.
ADMITTED_TEXT = "PNG, JPEG, WebP, BMP or GIF"

#: The usual ending of each admitted kind.
EXTENSIONS = {"PNG": ".png", "JPEG": ".jpg", "WebP": ".webp", "BMP": ".bmp", "GIF": ".gif"}

_SAVE_AS = "Open it in a picture program, save it as PNG or JPEG and add that."
_NOT_A_PICTURE = "Choose a picture instead."


@dataclass(frozen=True)
class FileKind:
    """A kind of file.

    Attributes:
        name: Its short name: ``"PNG"``, ``"PDF"`` ...
        title: The name with its article, for a sentence: ``"a PNG image"``.
        mend: What a person can do about it; empty for the kinds that are admitted.
    """

    name: str
    title: str
    mend: str = ""

    @property
    def admitted(self) -> bool:
        """True if files of this kind are decoded."""
        return self.name in EXTENSIONS


_PNG = FileKind("PNG", "a PNG image")
_JPEG = FileKind("JPEG", "a JPEG image")
_WEBP = FileKind("WebP", "a WebP image")
_BMP = FileKind("BMP", "a BMP image")
_GIF = FileKind("GIF", "a GIF image")
_TIFF = FileKind("TIFF", "a TIFF image or a camera's raw file", _SAVE_AS)
_HEIC = FileKind(
    "HEIC",
    "a HEIC image, the format of Apple's cameras",
    "Export it as JPEG and add that; the setting 'Most Compatible' makes the camera take JPEG from now on.",
)
_AVIF = FileKind("AVIF", "an AVIF image", _SAVE_AS)
_JPEG_2000 = FileKind("JPEG 2000", "a JPEG 2000 image", _SAVE_AS)
_JPEG_XL = FileKind("JPEG XL", "a JPEG XL image", _SAVE_AS)
_SVG = FileKind("SVG", "an SVG drawing, which is made of lines instead of pixels", "Export it as PNG and add that.")
_PDF = FileKind("PDF", "a PDF document", "Export the page or the picture in it as PNG and add that.")
_PHOTOSHOP = FileKind("PSD", "a Photoshop document", _SAVE_AS)
_ICON = FileKind("ICO", "a Windows icon", _SAVE_AS)
_VIDEO = FileKind("video", "a video", "Save one of its frames as PNG or JPEG and add that.")
_ARCHIVE = FileKind("archive", "a packed archive or an office document", "Unpack it and add the pictures in it.")
_WEB_PAGE = FileKind(
    "web page", "a web page", "The picture itself was not downloaded: open it alone in the browser and save it again."
)
_TEXT = FileKind("text", "a text file", _NOT_A_PICTURE)
_UNKNOWN = FileKind("unknown", "of an unknown kind", _NOT_A_PICTURE)

#: First bytes and what they mean, the longest first where one begins another.
_SIGNATURES: tuple[tuple[bytes, FileKind], ...] = (
    (b"\x89PNG\r\n\x1a\n", _PNG),
    (b"\xff\xd8\xff", _JPEG),
    (b"GIF87a", _GIF),
    (b"GIF89a", _GIF),
    (b"II*\0", _TIFF),
    (b"MM\0*", _TIFF),
    (b"II+\0", _TIFF),
    (b"MM\0+", _TIFF),
    (b"%PDF", _PDF),
    (b"8BPS", _PHOTOSHOP),
    (b"\0\0\1\0", _ICON),
    (b"PK\3\4", _ARCHIVE),
    (b"Rar!", _ARCHIVE),
    (b"7z\xbc\xaf", _ARCHIVE),
    (b"\x1f\x8b", _ARCHIVE),
    (b"\0\0\0\x0cjP  ", _JPEG_2000),
    (b"\xff\x4f\xff\x51", _JPEG_2000),
    (b"\0\0\0\x0cJXL ", _JPEG_XL),
    (b"\xff\x0a", _JPEG_XL),
    (b"\x1a\x45\xdf\xa3", _VIDEO),
)

#: Lengths that the second header of a BMP file may have. "BM" alone begins many a text.
_BMP_HEADER_SIZES = frozenset({12, 16, 40, 52, 56, 64, 108, 124})

#: "Brands" of the ISO base media format (ISO/IEC 14496-12), the fourth to third word of HEIC, AVIF and MP4 files.
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})

_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")

#: File endings that promise a kind; others promise nothing.
_PROMISES = {
    "PNG": ("png", "apng"),
    "JPEG": ("jpg", "jpeg", "jpe", "jfif", "pjpeg", "pjp", "mpo"),
    "WebP": ("webp",),
    "BMP": ("bmp", "dib"),
    "GIF": ("gif",),
    "TIFF": ("tif", "tiff", "dng", "nef", "cr2", "arw"),
    "HEIC": ("heic", "heif"),
    "AVIF": ("avif",),
    "JPEG 2000": ("jp2", "j2k"),
    "JPEG XL": ("jxl",),
    "SVG": ("svg",),
    "PDF": ("pdf",),
    "PSD": ("psd",),
    "ICO": ("ico",),
    "video": ("mp4", "mov", "avi", "mkv", "webm"),
    "archive": ("zip", "rar", "7z", "gz", "docx", "pptx"),
    "web page": ("html", "htm"),
    "text": ("txt", "csv", "json", "md", "py"),
}
_KIND_BY_ENDING = {ending: kind for kind, endings in _PROMISES.items() for ending in endings}


def kind_of(data: bytes) -> FileKind:
    """What a file is, by its first bytes alone; it may still be damaged further on."""
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            return kind
    if data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in _BMP_HEADER_SIZES:
        return _BMP
    if data[:4] == b"RIFF":
        return {b"WEBP": _WEBP, b"AVI ": _VIDEO}.get(data[8:12], _UNKNOWN)
    if data[4:8] == b"ftyp":
        brand = data[8:12]
        return _AVIF if brand in _AVIF_BRANDS else _HEIC if brand in _HEIC_BRANDS else _VIDEO
    return _kind_of_text(data)


def kind_promised_by(name: str) -> str | None:
    """The :attr:`FileKind.name` that a file name's ending stands for; None if the ending says nothing or is missing."""
    ending = os.path.splitext(name.strip())[1].lower().removeprefix(".")
    return _KIND_BY_ENDING.get(ending)


def _kind_of_text(data: bytes) -> FileKind:
    """SVG, a web page, other text, or unknown, by the first kilobytes."""
    head = data[:4096]
    if b"\0" in head and head[:2] not in _UTF_16_MARKS:
        return _UNKNOWN
    # A web page may hold a drawing; a drawing holds no web page.
    if re.search(rb"<(!doctype\s+html|html)\b", head, re.IGNORECASE):
        return _WEB_PAGE
    if re.search(rb"<svg[\s>]", head, re.IGNORECASE):
        return _SVG
    try:
        # The incremental decoder forgives a letter that the cut after the first kilobytes splits.
        text = codecs.getincrementaldecoder("utf-16" if head[:2] in _UTF_16_MARKS else "utf-8")().decode(head)
    except UnicodeDecodeError:
        return _UNKNOWN
    printable = sum(character.isprintable() or character.isspace() for character in text)
    return _TEXT if printable >= 0.95 * len(text) else _UNKNOWN
