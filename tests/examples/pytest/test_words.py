# SPDX-License-Identifier: MIT
"""Tests of Python code, and of a C library that stands for an extension module."""

import ctypes
import threading

import pytest

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
kept = []


@pytest.mark.genprof(no_leaks=True)
def test_words_are_given_back():
    block = libc.malloc(10_000)
    libc.free(block)
    assert "a b".split() == ["a", "b"]


@pytest.mark.genprof(no_leaks=True)
def test_of_a_forgotten_block_fails():
    libc.malloc(10_000)


@pytest.mark.genprof(max_peak="100KiB")
def test_of_a_large_list_fails():
    assert len(bytearray(200 * 1024)) == 200 * 1024


@pytest.mark.genprof(max_peak="1MiB", max_bytes="1MiB")
def test_of_a_small_list():
    assert len(bytearray(200 * 1024)) == 200 * 1024


@pytest.mark.genprof(max_leaked_blocks=0, all_threads=True, warmups=0)
def test_of_another_thread_fails():
    thread = threading.Thread(target=lambda: kept.append(bytearray(10_000)))
    thread.start()
    thread.join()


@pytest.mark.genprof(max_leaked="1KiB")
@pytest.mark.parametrize("count", [1, 1000])
def test_growth(count):
    kept.append(bytearray(count * 10))


@pytest.mark.genprof(max_allocations=1000)
def test_that_is_wrong_fails():
    assert "a b".split() == ["a"]


def test_without_a_marker():
    kept.append(bytearray(1_000_000))
