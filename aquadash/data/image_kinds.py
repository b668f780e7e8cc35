"""The kind of a file by its first bytes, and by the ending of its name."""

import os
import re
from dataclasses import dataclass

#: The admitted formats, for messages.
ADMITTED_TEXT = "PNG, JPEG, WebP, BMP or GIF"

_SAVE_AS = "Open it in a picture program, save it as PNG or JPEG and add that."
_SAVE_HEIC_AS = "Export it as JPEG and add that; the setting 'Most Compatible' makes the camera take JPEG from now on."
_SAVE_ALONE = "The picture itself was not downloaded: open it alone in the browser and save it again."
_EXPORT = "Export it as PNG and add that."
_UNPACK = "Unpack it and add the pictures in it."
_NOT_A_PICTURE = "Choose a picture instead."


@dataclass(frozen=True)
class FileKind:
    """A kind of file."""

    #: The short name, such as ``"PNG"``.
    name: str
    #: The name with its article, such as ``"a PNG image"``.
    title: str
    #: The endings of file names, separated by blanks, the usual one first.
    endings: str = ""
    #: The remedy for a person; empty for kinds that are decoded.
    mend: str = ""


_KINDS = {
    kind.name: kind
    for kind in (
        FileKind("PNG", "a PNG image", "png apng"),
        FileKind("JPEG", "a JPEG image", "jpg jpeg jpe jfif pjpeg pjp mpo"),
        FileKind("WebP", "a WebP image", "webp"),
        FileKind("BMP", "a BMP image", "bmp dib"),
        FileKind("GIF", "a GIF image", "gif"),
        FileKind("TIFF", "a TIFF image or a camera's raw file", "tif tiff dng nef cr2 arw", _SAVE_AS),
        FileKind("HEIC", "a HEIC image, the format of Apple's cameras", "heic heif", _SAVE_HEIC_AS),
        FileKind("AVIF", "an AVIF image", "avif", _SAVE_AS),
        FileKind("SVG", "an SVG drawing, which is made of lines instead of pixels", "svg", _EXPORT),
        FileKind("PDF", "a PDF document", "pdf", "Export the page or the picture in it as PNG and add that."),
        FileKind("video", "a video", "mp4 mov avi mkv webm", "Save one of its frames as PNG or JPEG and add that."),
        FileKind("archive", "a packed archive or an office document", "zip rar 7z gz docx pptx", _UNPACK),
        FileKind("web page", "a web page", "html htm", _SAVE_ALONE),
        FileKind("text", "a text file", "txt csv json md py", _NOT_A_PICTURE),
        FileKind("unknown", "of an unknown kind", mend=_NOT_A_PICTURE),
    )
}

#: The first bytes of the kinds that have fixed ones.
_FIRST_BYTES = {
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "JPEG": (b"\xff\xd8\xff",),
    "GIF": (b"GIF87a", b"GIF89a"),
    "TIFF": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "PDF": (b"%PDF",),
    "video": (b"\x1a\x45\xdf\xa3",),
    "archive": (b"PK\3\4", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b"),
}

_KIND_BY_ENDING = {ending: kind.name for kind in _KINDS.values() for ending in kind.endings.split()}

#: The lengths of the second header of a BMP file. "BM" alone can begin a text.
_BMP_HEADER_SIZES = frozenset({12, 16, 40, 52, 56, 64, 108, 124})

#: "Brands" of the ISO base media format (ISO/IEC 14496-12), the third word of HEIC, AVIF and MP4 files.
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})


def kind_of(data: bytes) -> FileKind:
    """Return the kind of a file by its first bytes, even if the others are damaged."""
    names = (name for name, first_bytes in _FIRST_BYTES.items() if data.startswith(first_bytes))
    return _KINDS[next(names, None) or _name_of(data)]


def kind_promised_by(name: str) -> str | None:
    """Return the :attr:`FileKind.name` of a file name's ending; None for an unknown or missing ending."""
    ending = os.path.splitext(name.strip())[1].lower().removeprefix(".")
    return _KIND_BY_ENDING.get(ending)


def _name_of(data: bytes) -> str:
    if data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in _BMP_HEADER_SIZES:
        return "BMP"
    if data[:4] == b"RIFF":
        return {b"WEBP": "WebP", b"AVI ": "video"}.get(data[8:12], "unknown")
    if data[4:8] == b"ftyp":
        brand = data[8:12]
        return "AVIF" if brand in _AVIF_BRANDS else "HEIC" if brand in _HEIC_BRANDS else "video"
    head = data[:4096]
    # Web pages first, since they can contain SVG drawings.
    if re.search(rb"<(!doctype\s+html|html)\b", head, re.IGNORECASE):
        return "web page"
    if re.search(rb"<svg[\s>]", head, re.IGNORECASE):
        return "SVG"
    text = head.decode("utf-8", "replace")
    is_readable = [(letter.isprintable() or letter.isspace()) and letter != "\ufffd" for letter in text]
    return "text" if sum(is_readable) >= 0.95 * len(text) else "unknown"
