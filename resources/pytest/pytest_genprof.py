# SPDX-License-Identifier: MIT
"""Memory limits for tests, checked where pytest runs under Genesis Profiler.

    @pytest.mark.genprof(no_leaks=True, max_allocations=100)
    def test_parser(): ...

    genprof record -q -o tests.gprof-session -- python3 -m pytest -p pytest_genprof

What a marker limits, of what the test's thread takes from malloc while the test function runs (fixtures are not counted):
  max_allocations     how often
  max_bytes           how much in all, as a number or "64KiB"
  max_peak            how much of that at once
  no_leaks=True       nothing of it is left after the test and a run of the garbage collector
  max_leaked          at most so many bytes of it are left; max_leaked_blocks: blocks
  all_threads=True    what other threads take counts too
  warmups=N           calls before the one that counts, so that caches are filled; by default 1 where leaks are limited, else 0

Python takes small objects from arenas of its own, not from malloc: with PYTHONMALLOC=malloc each is a block that counts, and free lists and caches
of the interpreter are seen to grow. Without a recorder a
test runs as ever and, where it passes, is reported as skipped, since its memory was not looked at.
"""

import ctypes
import functools
import gc
import inspect
import re

import pytest

_NO_LIMIT = 2**64 - 1
_MET, _EXCEEDED = 0, 1
_UNITS = {"": 1, "B": 1, "K": 2**10, "KiB": 2**10, "M": 2**20, "MiB": 2**20, "G": 2**30, "GiB": 2**30,
          "kB": 10**3, "MB": 10**6, "GB": 10**9}
_LIMITS = {"max_allocations": "allocations", "max_bytes": "bytes", "max_peak": "peak_bytes",
           "max_leaked_blocks": "left_blocks", "max_leaked": "left_bytes"}
_OTHERS = ("no_leaks", "all_threads", "warmups")


class _ScopeLimits(ctypes.Structure):
    """genesis_scope_limits of genesis_profiler.h."""

    _fields_ = [(name, ctypes.c_uint64) for name in ("allocations", "bytes", "peak_bytes", "left_blocks", "left_bytes")]


class _Api(ctypes.Structure):
    """genesis_profiler_api of genesis_profiler.h."""

    _fields_ = [
        ("version", ctypes.c_uint32),
        ("bytes", ctypes.c_uint32),
        ("note", ctypes.c_void_p),
        ("pool_allocated", ctypes.c_void_p),
        ("pool_freed", ctypes.c_void_p),
        ("pool_destroyed", ctypes.c_void_p),
        ("scope_begin", ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_uint)),
        ("scope_end", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_uint64, ctypes.POINTER(_ScopeLimits), ctypes.c_void_p,
                                       ctypes.c_size_t)),
    ]


def _find_api():
    """The tracer's functions; None where no recorder looks."""
    join = getattr(ctypes.CDLL(None), "genesis_profiler_join", None)
    if join is None:
        return None
    slot = ctypes.POINTER(_Api)()
    join.argtypes = [ctypes.POINTER(ctypes.POINTER(_Api))]
    join.restype = None
    join(ctypes.byref(slot))
    return slot.contents if slot and slot.contents.version >= 2 else None


def _amount(name, value):
    """A count, or bytes as "64KiB"."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) ?([A-Za-z]*)", value) if isinstance(value, str) else None
    is_count = name in ("max_allocations", "max_leaked_blocks")
    if found is None or found[2] not in _UNITS or is_count:
        wanted = "number" if is_count else 'amount, such as 4096 or "64KiB"'
        raise pytest.UsageError(f"{name}={value!r} is no {wanted}")
    return int(float(found[1]) * _UNITS[found[2]])


class _Wish:
    """What the marker of a test asks for."""

    def __init__(self, marker):
        if marker.args:
            raise pytest.UsageError("a genprof marker has keywords only, such as no_leaks=True")
        unknown = [name for name in marker.kwargs if name not in _LIMITS and name not in _OTHERS]
        if unknown:
            raise pytest.UsageError(f"a genprof marker has no {unknown[0]}; there are {', '.join([*_LIMITS, *_OTHERS])}")
        self.limits = _limits()
        for name, field in _LIMITS.items():
            if name in marker.kwargs:
                setattr(self.limits, field, _amount(name, marker.kwargs[name]))
        if marker.kwargs.get("no_leaks"):
            self.limits.left_blocks = 0
        limits_leaks = self.limits.left_blocks != _NO_LIMIT or self.limits.left_bytes != _NO_LIMIT
        self.threads = 1 if marker.kwargs.get("all_threads") else 0
        self.warmups = marker.kwargs.get("warmups", 1 if limits_leaks else 0)


def _wish_of(item):
    marker = item.get_closest_marker("genprof")
    try:
        return None if marker is None else _Wish(marker)
    except pytest.UsageError as error:
        raise pytest.UsageError(f"{item.nodeid}: {error}") from None


def _scope(api, limits, threads, function):
    """Runs a function, and compares what it took with the limits: a verdict and words."""
    text = ctypes.create_string_buffer(1 << 14)
    place = ctypes.addressof(text)
    begin, end, limits, anything = api.scope_begin, api.scope_end, ctypes.byref(limits), ctypes.byref(_limits())
    gc.collect()
    scope = begin(threads)
    try:
        function()
        gc.collect()
    except BaseException:
        end(scope, anything, place, len(text))
        raise
    return end(scope, limits, place, len(text)), text.value.decode("utf-8", "replace")


def _limits(**values):
    limits = _ScopeLimits(*[_NO_LIMIT] * 5)
    for name, value in values.items():
        setattr(limits, name, value)
    return limits


@functools.lru_cache(maxsize=None)
def _own():
    """What a scope around nothing takes: objects of this plugin, where Python takes them from malloc one by one."""
    api = _find_api()
    names = [name for name, _ in _ScopeLimits._fields_]
    for _ in range(2):  # the first one fills caches
        words = [_scope(api, _limits(**{name: 0}), 0, lambda: None) for name in names]
    return {name: int(text.split()[0]) for name, (verdict, text) in zip(names, words) if verdict == _EXCEEDED}


def _with_own(limits):
    """The limits, and what is the plugin's own beside them."""
    raised = _limits()
    for name, _ in _ScopeLimits._fields_:
        limit = getattr(limits, name)
        setattr(raised, name, limit if limit == _NO_LIMIT else limit + _own().get(name, 0))
    return raised


def _measured(function, wish):
    """The test function, which fails where it goes beyond its limits."""

    @functools.wraps(function)
    def run(*args, **kwargs):
        api = _find_api()
        if api is None:
            function(*args, **kwargs)
            pytest.skip("its memory was not looked at: run genprof record -- python3 -m pytest …")
        for _ in range(wish.warmups):
            function(*args, **kwargs)
        verdict, words = _scope(api, _with_own(wish.limits), wish.threads, functools.partial(function, *args, **kwargs))
        if verdict == _MET:
            return
        if verdict != _EXCEEDED:
            pytest.skip(f"its memory was not looked at: {words}")
        if _own():
            words += f"\n(the plugin's own objects are among these: {_own()})"
        pytest.fail(f"genprof: {words}", pytrace=False)

    return run


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "genprof(no_leaks, max_allocations, max_bytes, max_peak, max_leaked, max_leaked_blocks, all_threads, "
        "warmups): limits of what the test takes from malloc")


def pytest_collection_modifyitems(items):
    for item in items:
        if _wish_of(item) is not None and inspect.iscoroutinefunction(getattr(item, "obj", None)):
            raise pytest.UsageError(f"{item.nodeid}: a genprof marker cannot measure a coroutine")


@pytest.hookimpl(hookwrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    wish = _wish_of(pyfuncitem)
    function = pyfuncitem.obj
    if wish is not None:
        pyfuncitem.obj = _measured(function, wish)
    yield
    pyfuncitem.obj = function
