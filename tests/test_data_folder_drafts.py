"""An import can be watched, stopped, tried again, used and thrown away, and leaves nothing behind."""

from __future__ import annotations

import io
import itertools
import os
import re
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aquadash.data.folder import about, drafts, reading
from aquadash.data.folder.drafts import Request, SplitChoice
from aquadash.errors import DataError, StorageError
from aquadash.jobs import JobStatus, Stopped, open_jobs
from aquadash.jobs.types import job_id
from aquadash.jobs.worker import JobContext
from tests import job_rows
from tests.own_pictures import drafted, in_archive, in_folder, of_classes, picture


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return in_folder(tmp_path / "pets", of_classes({"cat": 6, "dog": 6}))


@pytest.fixture
def uploaded(tmp_path: Path) -> str:
    """The draft of an archive that was uploaded and is not read yet."""
    path = in_archive(tmp_path / "a.zip", of_classes({"cat": 6, "dog": 6}))
    return drafts.begin(Request("", "a.zip", 32), write=lambda to: to.write_bytes(path.read_bytes()))


def begun(path: Path, size: int = 32) -> str:
    return drafts.begin(Request(path, path.name, size))


def left(home: Path) -> list[str]:
    return [path.name for path in (home / "datasets" / ".drafts").iterdir()]


def test_an_uploaded_archive_goes_with_its_draft(uploaded: str, home: Path) -> None:
    assert not drafts.is_read(uploaded) and open_jobs().get(job_id(drafts.KIND, uploaded)) is None
    said: list[float] = []
    drafts.read(uploaded, progress=lambda text, share: said.append(share or 0.0))
    assert said == sorted(said) and drafts.is_read(uploaded)
    assert len(drafts.opened(uploaded).pictures) == 12
    drafts.discard(uploaded)
    assert left(home) == []
    with pytest.raises(DataError, match="not there any more"):
        drafts.is_read(uploaded)


def test_the_same_pictures_can_be_read_at_another_size_and_stay_where_that_fails(
    uploaded: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(drafts, "write_whole", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(StorageError, match="No space left"):
            drafts.again(uploaded, size=64)
    assert left(home) == [uploaded]
    drafts.read(uploaded)
    second = drafts.again(uploaded, size=64)
    drafts.read(second)
    assert drafts.opened(second).images.shape == (12, 64, 64, 3)
    assert left(home) == [second]


def test_the_reading_stops_when_asked_and_keeps_nothing(
    folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_REPORT_EVERY", 0.0)
    job_rows.start_no_process(monkeypatch)
    draft_id = begun(folder)
    drafts.start(draft_id)
    seen: list[str] = []

    def ask(self: JobContext, text: str, share: float | None) -> None:
        seen.append(text)
        if share:
            open_jobs().request_stop(job_id(drafts.KIND, draft_id))
            self.beat()
        self.report(text)

    monkeypatch.setattr(JobContext, "report_fraction", ask)
    assert job_rows.do_next(drafts.KIND).status is JobStatus.STOPPED and not any("Comparing" in text for text in seen)
    assert not {"images.raw", "draft.json"} & set(os.listdir(home / "datasets" / ".drafts" / draft_id))
    with pytest.raises(DataError, match="not been read"):
        drafts.opened(draft_id)
    assert about.all_kept() == {}


def test_a_folder_is_read_from_wherever_the_reader_works(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    draft_id = begun(Path(folder.name))
    monkeypatch.chdir("/")
    drafts.read(draft_id)
    assert len(drafts.opened(draft_id).pictures) == 12


def test_discarding_ends_the_reading(folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_REPORT_EVERY", 0.0)
    monkeypatch.setattr(drafts, "find_copies", lambda *_, **__: pytest.fail("it went on"))
    draft_id = begun(folder)
    with pytest.raises(Stopped):
        drafts.read(draft_id, progress=lambda text, share: drafts.discard(draft_id) if share else None)
    assert left(home) == []


def test_what_goes_wrong_is_the_message_of_the_job_by_the_uploads_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    job_rows.start_no_process(monkeypatch)
    draft_id = drafts.begin(Request("", "Pets.rar", 32), write=lambda path: path.write_bytes(b"Rar!"))
    drafts.start(draft_id)
    job = job_rows.do_next(drafts.KIND)
    assert job.status is JobStatus.FAILED and job.message.startswith("Pets.rar is not a sound ZIP archive")
    assert open_jobs().get(job_id(drafts.KIND, draft_id)) == job and not drafts.is_read(draft_id)


def test_more_than_the_disk_should_hold_is_refused_before_reading(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "MAX_STORED", 12 * 64 * 64 * 3 - 1)
    with pytest.raises(DataError, match="Choose a smaller size"):
        drafts.read(begun(folder, 64))
    drafted(folder)


def test_forgotten_drafts_are_thrown_away_unless_somebody_comes_back(folder: Path, uploaded: str, home: Path) -> None:
    def let_time_pass(draft_id: str, seconds: float) -> None:
        then = time.time() - seconds
        os.utime(home / "datasets" / ".drafts" / draft_id, (then, then))

    let_time_pass(uploaded, drafts.LASTS - 100)
    other = begun(folder)
    assert sorted(left(home)) == sorted([uploaded, other])
    for draft_id in (uploaded, other):
        let_time_pass(draft_id, drafts.LASTS + 100)
    again = drafts.again(uploaded, size=64)
    assert left(home) == [again]
    drafts.read(again)
    assert drafts.opened(again).images.shape == (12, 64, 64, 3)


@pytest.mark.parametrize("draft_id", ["", "..", "../../runs.db", "A" * 32, "0" * 31])
def test_an_id_never_becomes_a_path(draft_id: str) -> None:
    for ask in (drafts.is_read, drafts.opened, drafts.discard):
        with pytest.raises(DataError, match="32 hexadecimal digits"):
            ask(draft_id)


def test_a_size_that_is_not_offered_is_refused(folder: Path) -> None:
    with pytest.raises(DataError, match="expected one of 32, 48"):
        begun(folder, 33)


def test_a_problem_stands_in_the_way_of_use(tmp_path: Path) -> None:
    draft = drafted(in_folder(tmp_path / "one", of_classes({"cat": 9})))
    with pytest.raises(DataError, match="only one class"):
        drafts.use(draft, SplitChoice(), title="One")
    assert about.all_kept() == {}


def small_archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        methods = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
        for number, (method, kind) in enumerate(itertools.product(methods, ("PNG", "JPEG"))):
            name = f"{'cat' if number < 4 else 'dog'}/{number}.{kind.lower()}"
            archive.writestr(name, picture(number, size=(8, 8), kind=kind), method)
    return file.getvalue()


_SMALL = small_archive()
#: Where the headers are: most of a file's bytes are no fields.
_FIELDS = sorted(
    {
        start + byte
        for mark, length in ((b"PK\3\4", 40), (b"PK\1\2", 56), (b"PK\5\6", 22))
        for start in (found.start() for found in re.finditer(re.escape(mark), _SMALL))
        for byte in range(length)
    }
)
_VALUES = st.one_of(
    st.sampled_from([b"\0", b"\xff", b"\xff\xff", b"\xff" * 4, b"\1", b"\x09", b"\x08\0", b"/", b"..", b"PK\5\6"]),
    st.binary(min_size=1, max_size=8),
)
_DAMAGE = st.lists(
    st.tuples(st.one_of(st.sampled_from(_FIELDS), st.integers(0, len(_SMALL) - 1)), _VALUES), min_size=1, max_size=4
)


@settings(
    max_examples=int(os.environ.get("AQUADASH_FUZZ", "60")),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(damage=_DAMAGE, end=st.one_of(st.none(), st.integers(0, len(_SMALL))))
def test_a_damaged_archive_is_read_or_refused_in_words_and_leaves_nothing(
    home: Path, damage: list[tuple[int, bytes]], end: int | None
) -> None:
    content = bytearray(_SMALL)
    for at, value in damage:
        content[at : at + len(value)] = value
    draft_id = drafts.begin(Request("", "a.zip", 32), write=lambda to: to.write_bytes(content[:end]) and None)
    try:
        drafts.read(draft_id)
    except DataError as error:
        said = [str(error)]
        assert set(os.listdir(home / "datasets" / ".drafts" / draft_id)) == {"request.json", "upload.zip"}
    else:
        draft = drafts.opened(draft_id)
        assert len(draft.pictures) == len(draft.images)
        said = [one.reason for one in draft.refused]
    assert all(len(text) > 30 and not re.search(r"Error\b|Errno|codec|CRC|Bad ", text) for text in said)
    drafts.discard(draft_id)
    assert left(home) == []
