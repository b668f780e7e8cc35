"""Cards of images, and a session's memory of dropped pictures, with fake networks."""

import numpy as np
from PIL import Image

from aquadash.ui.kit.gallery import SHOWN_EDGE, Bar, Card, markup
from aquadash.ui.kit.predictions import Item, Memory, Network, closer
from tests.support.encoded_pictures import saved
from tests.support.runs import run_record


class Brightness:
    """Looks at square images and says how bright they are."""

    class_names = ("dark", "bright")

    def __init__(self, edge: int) -> None:
        self.image_shape = (edge, edge, 3)

    def answer_images(self, images: np.ndarray) -> tuple[np.ndarray, None]:
        assert images.shape[1:] == self.image_shape and images.dtype == np.uint8
        bright = images.mean(axis=(1, 2, 3)) / 255
        return np.stack([1 - bright, bright], axis=1).astype(np.float32), None


class File:
    """An uploaded file that counts how often it is read."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name = self.file_id = name
        self.content, self.read = content, 0

    def getvalue(self) -> bytes:
        self.read += 1
        return self.content


def picture(name: str, size: tuple[int, int] = (60, 40)) -> File:
    """Black on the left, white on the right."""
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    pixels[:, size[0] // 2 :] = 255
    return File(name, saved(Image.fromarray(pixels), "PNG"))


def network(name: str, edge: int = 8) -> Network:
    return Network(name, run_record(name, run_id=name), Brightness(edge))  # type: ignore[arg-type]


def test_a_file_is_read_once_for_all_networks() -> None:
    memory, networks = Memory(), [network("small"), network("large", 224)]
    good, bad = Item(picture("a.png")), Item(File("b.png", b""))

    assert list(memory.predict([good, bad], networks)) == [good, bad]
    assert list(memory.predict([good, bad], networks)) == [] and memory.missing([good, bad], networks) == []

    assert good.upload.read == 1  # type: ignore[attr-defined]
    small, large = memory.answers(good, networks) or ()
    assert small.probabilities is not None and large.seen is None
    assert [answer.error is not None for answer in memory.answers(bad, networks) or ()] == [True, True]
    look = memory.look(good, networks)
    assert {size: image.shape for size, image in look.seen.items()} == {
        (8, 8): (8, 8, 3),
        (224, 224): (SHOWN_EDGE, SHOWN_EDGE, 3),
    }
    assert memory.look(good, networks[:1]).seen.keys() == {(8, 8)}, "what the others saw is not this one's"
    assert closer(good, networks[1].predictor).seen[224, 224].shape == (224, 224, 3)


def test_another_part_and_another_network_are_looked_at_anew() -> None:
    memory, one = Memory(), network("one")
    file = picture("a.png", (90, 30))
    left, right = Item(file, 0.0), Item(file, 1.0)
    assert list(memory.predict([left, right], [one])) == [left, right]
    assert [(memory.answers(item, [one]) or [])[0].label for item in (left, right)] == ["dark", "bright"]
    assert memory.missing([left, right], [one, network("two")]) == [left, right]
    whole = Item(file)
    assert memory.known([whole], [one]) == [whole] and memory.known([left], [one, network("two")]) == []


def test_what_is_gone_is_forgotten_and_what_was_let_go_is_read_again() -> None:
    memory, one = Memory(), network("one")
    # One more than the memory keeps.
    items = [Item(picture(f"{number}.png", (8, 8))) for number in range(301)]
    assert len(list(memory.predict(items, [one]))) == 301
    assert memory.look(items[0], [one]).thumbnail is not None
    assert items[0].upload.read == 2 and items[-1].upload.read == 1  # type: ignore[attr-defined]

    memory.forget([items[1].upload])
    assert memory.missing(items, [one]) == [items[0], *items[2:]]


EVIL = '"><script>alert(1)</script>'


def test_every_text_is_escaped() -> None:
    card = Card(np.zeros((32, 32, 3), np.uint8), EVIL, EVIL, EVIL, bars=(Bar(EVIL, 0.5, EVIL),), accent=EVIL)
    html = markup([card], size_rem=6, columns=None, label="Pictures")
    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 6
