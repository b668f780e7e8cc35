"""Tests of classes and splits by folder, of the limits of archives, and of pictures read from files."""

import io
import os
import subprocess
import sys
import zipfile
from functools import reduce
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aquadash.data.folder import listing, reading
from aquadash.data.folder.listing import File, sort
from aquadash.data.folder.types import Entry, Listing
from aquadash.data.progress import silent
from aquadash.errors import DataError
from tests.support.encoded_pictures import saved
from tests.support.own_pictures import in_archive, in_folder, picture, with_field


def listed(*paths: str) -> Listing:
    return sort([File(tuple(path.split("/")), path.encode) for path in paths])


_AROUND = {
    "each folder is a class, in the order of names": ("dog/1.jpg cat/2.jpg cat/1.jpg", "cat dog", ""),
    "a folder around the classes": ("animals/cat/1.jpg animals/dog/1.jpg", "cat dog", ""),
    "files beside the only one": ("readme.txt x/cat/1.jpg x/dog/1.jpg x/list.csv", "cat dog", "readme.txt x/list.csv"),
    "a class has folders of its own": ("cat/home/1.jpg cat/2.jpg dog/1.jpg", "cat dog", ""),
    "training pictures alone are no split": ("train/cat/1.jpg train/dog/1.jpg val/cat/2.jpg", "cat dog", ""),
    "clutter and hidden files": ("cat/1.jpg __MACOSX/cat/._1.jpg cat/.DS_Store cat/Thumbs.db .git/x/y.jpg", "cat", ""),
    "an accent written in two ways": ("caf\u00e9/1.jpg cafe\u0301/2.jpg", "caf\u00e9", ""),
}


@pytest.mark.parametrize(("paths", "classes", "left_out"), _AROUND.values(), ids=_AROUND)
def test_classes_are_told_from_what_is_around_them(paths: str, classes: str, left_out: str) -> None:
    contents = listed(*paths.split())
    assert contents.class_names == tuple(classes.split()) and not contents.split_given
    assert all(entry.part is None and entry.name.endswith(".jpg") for entry in contents.entries)
    assert [one.name for one in contents.left_out] == left_out.split()


@pytest.mark.parametrize("wrapper", ["", "data/"])
def test_a_split_of_one_s_own_is_kept_and_validation_joins_training(wrapper: str) -> None:
    contents = listed(
        *(f"{wrapper}{part}/{name}/1.jpg" for part in ("Train", "val", "TEST") for name in ("cat", "dog"))
    )
    assert contents.split_given and contents.class_names == ("cat", "dog")
    assert [entry.part for entry in contents.entries if entry.label == 0] == ["test", "train", "train"]


def test_names_are_text_in_the_order_of_people() -> None:
    contents = listed("class 10/1.jpg", "class 9/1.jpg", "Class 1/1.jpg", "<b>**x**\u202e/1.jpg", "a, b/1.jpg")
    assert contents.class_names == ("<b>**x**\N{REPLACEMENT CHARACTER}", "a b", "Class 1", "class 9", "class 10")


@pytest.mark.timeout(10)
def test_thousands_of_classes_that_are_shown_alike_stay_apart_and_are_named_in_no_time() -> None:
    long = "x" * 100
    names = listed(*(f"{long}{number}{long}/1.jpg" for number in range(2000))).class_names
    assert len(set(names)) == 2000 and names[-1].endswith(" (2000)") and max(map(len, names)) <= 60


def test_names_are_read_as_the_mac_and_windows_write_them(tmp_path: Path) -> None:
    """The Mac writes UTF-8, Windows its code page, both without a mark."""
    names = ["Tiere/Gro\u0308\u00dfe \U0001f9a6/1.jpg", "Tiere/\u6c34\u737a/1.jpg", "__MACOSX/Tiere/._1.jpg"]
    mac = in_archive(tmp_path / "mac.zip", {name: b"1" for name in names})
    content = mac.read_bytes()
    for name in names:
        content = with_field(content, name.encode(), 8, b"\0\0")
    mac.write_bytes(content)
    names = ["Tiere\\", "Tiere\\M#wen\\", "Tiere\\M#wen\\1.jpg", "Tiere\\Enten\\1.jpg"]
    windows = in_archive(tmp_path / "windows.zip", {name: b"1" for name in names})
    windows.write_bytes(windows.read_bytes().replace(b"M#wen", "M\u00f6wen".encode("cp437")))
    for path, classes in ((mac, ("Gr\u00f6\u00dfe \U0001f9a6", "\u6c34\u737a")), (windows, ("Enten", "M\u00f6wen"))):
        with listing.opened(path) as contents:
            assert contents.class_names == classes and contents.num_left_out == 0
            assert [entry.read() for entry in contents.entries] == [b"1", b"1"]


def test_paths_that_lead_out_links_and_inner_archives_are_refused_by_name(tmp_path: Path) -> None:
    inner = io.BytesIO()
    zipfile.ZipFile(inner, "w").close()
    path = in_archive(
        tmp_path / "a.zip",
        {
            "cat/1.png": b"1",
            "dog/1.png": b"2",
            "../cat/out.png": b"3",
            "/cat/abs.png": b"4",
            "..\\..\\win.png": b"5",
            "C:\\cat\\drive.png": b"6",
            "cat/link.png": b"/etc/passwd",
            "dog/more.zip": inner.getvalue(),
        },
        links=("cat/link.png",),
    )
    with listing.opened(path) as contents:
        assert [entry.name for entry in contents.entries] == ["cat/1.png", "dog/1.png"]
        reasons = {one.name: one.reason for one in contents.left_out}
    assert contents.num_left_out == len(reasons) == 6
    assert sum("out of the archive" in reason for reason in reasons.values()) == 4
    assert "link" in reasons["cat/link.png"] and "Unpack it" in reasons["dog/more.zip"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip"]


def test_links_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    in_folder(secret, {"cat/1.png": b"secret"})
    folder = in_folder(tmp_path / "mine", {"cat/1.png": b"1", "dog/1.png": b"2"})
    os.symlink(secret / "cat" / "1.png", folder / "cat" / "link.png")
    os.symlink(secret, folder / "elsewhere")
    with listing.opened(folder) as contents:
        assert [entry.read() for entry in contents.entries] == [b"1", b"2"]
        assert {one.name for one in contents.left_out} == {"cat/link.png", "elsewhere"}


def test_what_cannot_be_read_as_an_archive_is_said_plainly(tmp_path: Path) -> None:
    names = ("cat/1.png", "cat/2.png", "dog/1.png")
    sound = in_archive(tmp_path / "sound.zip", dict.fromkeys(names, b"a picture")).read_bytes()

    def in_all(field: int, value: bytes) -> bytes:
        return reduce(lambda content, name: with_field(content, name.encode(), field, value), names, sound)

    unsound = "not a sound ZIP archive: its list of files is missing or damaged. Pack the folder again"
    flagged = with_field(sound, b"cat/1.png", 8, b"\0\x08").replace(b"cat/1.png", b"cat/\xff.png")
    for content, said in (
        (b"", "is empty"),
        (picture(0), "is a PNG image, not a ZIP archive"),
        (b"Rar!\x1a\x07 this is something else", unsound),
        (sound.replace(b"PK\1\2", b"PK\1\7"), unsound),
        (flagged, unsound),
        (with_field(sound, b"cat/1.png", 6, b"\x63"), unsound),
        (in_all(8, b"\1"), "cat/1.png: It is protected by a password"),
        (in_all(10, b"\x0e"), r"method that is not read \(number 14\).*usual method"),
        (b"PK\5\6" + bytes(18), "no folders with pictures"),
    ):
        (tmp_path / "a.zip").write_bytes(content)
        with pytest.raises(DataError, match=said) as caught, listing.opened(tmp_path / "a.zip"):
            pass
        assert not any(word in str(caught.value) for word in ("codec", "Errno", "magic", "Error"))
    os.mkfifo(tmp_path / "pipe.zip")
    for name in ("missing.zip", "pipe.zip", "x" * 5000):
        with pytest.raises(DataError, match="cannot be found"), listing.opened(tmp_path / name):
            pass


def test_names_without_a_letter_or_an_end_cost_nothing_but_themselves(tmp_path: Path) -> None:
    digits = "7" * 5000
    path = in_archive(tmp_path / "a.zip", {f"{digits}/1.png": b"1", "8/1.png": b"2", "d/" * 9000 + "1.png": b"3"})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(zipfile.ZipInfo("cat/nul.png"), b"4")
    path.write_bytes(path.read_bytes().replace(b"cat/nul.png", b"\0at/nul.png"))
    with listing.opened(path) as contents:
        assert [entry.read() for entry in contents.entries] == [b"2", b"1"]
        assert len(contents.class_names[1]) <= 60
        assert len(contents.left_out) == 2 and max(len(one.name) for one in contents.left_out) <= 60


def test_too_many_files_and_files_without_folders_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {f"cat/{number}.png": os.urandom(100) for number in range(5)}
    path, folder = in_archive(tmp_path / "a.zip", files), in_folder(tmp_path / "a", files)
    with pytest.raises(DataError, match="one folder per class"):
        listed("1.jpg", "2.jpg")
    monkeypatch.setattr(listing, "MAX_FILES", 4)
    for source, came in ((path, "5 files"), (folder, "more than 4 files")):
        with pytest.raises(DataError, match=came), listing.opened(source):
            pass


def entry(content: bytes, name: str = "cat/1.png", label: int = 0) -> Entry:
    return Entry(None, label, name, lambda: content)


def test_what_cannot_be_read_is_named_and_the_others_are_there(tmp_path: Path) -> None:
    entries = [entry(picture(0)), entry(b"", "dog/empty.png", 1), entry(picture(1)[:400], "cat/short.png")]
    entries += [entry(picture(2), "cat/lie.jpg"), entry(b"%PDF-1.7", "cat/a.pdf"), entry(picture(3), "dog/2.png", 1)]
    pictures, refused = reading.read_all(entries, size=32, out=tmp_path / "out", progress=silent)
    assert [one.name for one in pictures] == ["cat/1.png", "dog/2.png"]
    assert [one.label for one in refused] == [1, 0, 0, 0]
    for one, (name, word) in zip(
        refused, (("dog/empty", "empty"), ("cat/short", "cut short"), ("cat/lie", "PNG"), ("cat/a", "PDF")), strict=True
    ):
        assert name in one.name and one.name in one.reason and word in one.reason


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("where", [0, 9, 200])
def test_a_damaged_member_of_an_archive_is_one_picture_less(tmp_path: Path, method: int, where: int) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        for seed in range(3):
            archive.writestr(f"cat/{seed}.png", picture(seed))
    content = bytearray(path.read_bytes())
    start = content.index(b"cat/1.png") + len("cat/1.png") + where
    content[start : start + 20] = bytes(byte ^ 0x5A for byte in content[start : start + 20])
    path.write_bytes(bytes(content))
    with listing.opened(path) as contents:
        pictures, refused = reading.read_all(contents.entries, size=32, out=tmp_path / "out", progress=silent)
    assert [one.name for one in pictures] == ["cat/0.png", "cat/2.png"]
    assert [one.name for one in refused] == ["cat/1.png"]
    assert "cat/1.png cannot be read from its archive or folder: it is damaged" in refused[0].reason


def test_no_more_of_a_member_is_unpacked_than_a_picture_may_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "MAX_BYTES", 2_000_000)
    with listing.opened(in_archive(tmp_path / "a.zip", {"cat/1.png": bytes(10_000_000)})) as contents:
        assert 2_000_000 < len(contents.entries[0].read()) < 4_000_000


_MEASURE = """
import sys, time
from pathlib import Path
from aquadash.data.folder import importing
began = time.perf_counter()
new = importing.read(Path(sys.argv[1]), origin="photos", size=32)
seconds = time.perf_counter() - began
# The peak of getrusage would include the parent process.
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(seconds, len(new.pictures), status["VmHWM"].split()[0])
"""


@pytest.mark.soak
def test_photographs_of_a_megapixel_are_read_fast_and_in_little_memory(tmp_path: Path, home: Path) -> None:
    """10,000 pictures in 2 minutes are 12 ms each; 300 are read here, and all pairs compared."""
    files = {}
    for seed in range(30):
        pixels = np.random.default_rng(seed).integers(0, 256, (108, 144, 3), dtype=np.uint8)
        content = saved(Image.fromarray(pixels).resize((1156, 866)), "JPEG", quality=85)
        for copy in range(10):
            # Bytes after the end of a JPEG change its hash only.
            files[f"{'cat' if seed % 2 else 'dog'}/{seed}-{copy}.jpg"] = content + bytes([copy])
    path = in_archive(tmp_path / "photos.zip", files)
    assert path.stat().st_size > 300 * 150_000
    result = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(path)], capture_output=True, text=True, check=True, timeout=200
    )
    seconds, count, kilobytes = (float(value) for value in result.stdout.split())
    assert count == 300
    assert seconds / count <= 0.012
    assert kilobytes <= 400_000
