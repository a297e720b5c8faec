import ctypes
import sys

import pytest
import torch

from u2u_hf.recognition import gpu


class Driver:
    """NVIDIA's driver with some GPUs."""

    def __init__(self, gpus, status=0):
        self._gpus, self._status = gpus, status

    def cuInit(self, flags):
        return self._status

    def cuDeviceGetCount(self, count):
        count._obj.value = self._gpus
        return 0


@pytest.fixture
def driver(monkeypatch):
    """Put a driver, or None for none, in the place of this computer's."""

    def put(driver):
        def load(name):
            assert name in ("libcuda.so.1", "nvcuda.dll")
            if driver is None:
                raise OSError(name)
            return driver

        monkeypatch.setattr(ctypes, "CDLL", load)
        monkeypatch.setattr(gpu, "_has_amd", lambda: False)

    return put


@pytest.mark.parametrize("found", [None, Driver(0), Driver(1, status=100), object()])
def test_without_a_gpu_torch_is_not_asked(driver, monkeypatch, found):
    driver(found)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: pytest.fail("torch was asked"))
    assert not gpu.has_gpu()


@pytest.mark.parametrize("usable", [True, False])
def test_with_a_gpu_torch_says_whether_it_can_use_it(driver, monkeypatch, usable):
    driver(Driver(2))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: usable)
    assert gpu.has_gpu() is usable
    driver(None)
    monkeypatch.setattr(gpu, "_has_amd", lambda: True)
    assert gpu.has_gpu() is usable


def test_a_gpu_is_of_no_use_without_torch(driver, monkeypatch):
    driver(Driver(1))
    monkeypatch.setitem(sys.modules, "torch", None)
    assert not gpu.has_gpu()
