from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aquadash.config import TrainingConfig
from aquadash.errors import ConfigError
from aquadash.training import hardware


@pytest.fixture(autouse=True)
def fresh_look() -> Iterator[None]:
    hardware.multiplies_bfloat16.cache_clear()
    yield
    hardware.multiplies_bfloat16.cache_clear()


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ("processor: 0\nflags\t\t: fpu sse amx_bf16 avx2\n", "mixed_bfloat16"),
        ("flags\t\t: avx512f avx512_bf16\n", "mixed_bfloat16"),
        ("flags\t\t: fpu sse avx2 not_amx_bf16_at_all\n", "float32"),
        ("", "float32"),
    ],
)
def test_auto_takes_bfloat16_where_the_processor_has_it(
    info: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpuinfo").write_text(info)
    monkeypatch.setattr(hardware, "_CPU_INFO", tmp_path / "cpuinfo")
    assert hardware.precision(TrainingConfig(precision="auto")) == expected
    assert hardware.precision(TrainingConfig(precision="float32")) == "float32"
    assert hardware.precision(TrainingConfig(precision="mixed_bfloat16")) == "mixed_bfloat16"


def test_a_computer_that_does_not_tell_counts_as_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "_CPU_INFO", tmp_path / "missing")
    assert hardware.precision(TrainingConfig(precision="auto")) == "float32"


def test_a_graphics_card_that_is_not_there_is_a_plain_error(monkeypatch: pytest.MonkeyPatch) -> None:
    import tensorflow as tf

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: [])
    with pytest.raises(ConfigError, match="no graphics card"):
        hardware.device(TrainingConfig(device="gpu"))
    with hardware.device(TrainingConfig(device="cpu")):
        assert "CPU" in tf.constant(1).device
    with hardware.device(TrainingConfig(device="auto")):
        pass
