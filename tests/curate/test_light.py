"""A light start: what it leaves out, for whom, and what it leaves behind."""

import gc
import importlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from curate.light import light_start


@pytest.fixture
def unloaded(monkeypatch):
    """A module of the standard library that nothing has loaded yet."""
    monkeypatch.delitem(sys.modules, "tabnanny", raising=False)
    return "tabnanny"


def test_a_module_is_absent_for_the_thread_that_starts_and_for_no_other(unloaded):
    with ThreadPoolExecutor(1) as other, light_start(unloaded):
        with pytest.raises(ModuleNotFoundError, match="left out"):
            importlib.import_module(unloaded)
        assert other.submit(importlib.import_module, unloaded).result().__name__ == unloaded
        assert importlib.import_module(unloaded), "what is loaded is there for everybody"


def test_a_module_is_found_again_afterwards(unloaded):
    with light_start(unloaded), pytest.raises(ImportError):
        importlib.import_module(unloaded)
    assert importlib.import_module(unloaded).__name__ == unloaded


@pytest.mark.parametrize("collecting", [True, False])
def test_the_collector_is_left_as_it_was_even_by_a_start_that_fails(collecting):
    was = gc.isenabled()
    (gc.enable if collecting else gc.disable)()
    try:
        with pytest.raises(ModuleNotFoundError), light_start():
            importlib.import_module("no_such_module" if not gc.isenabled() else "gc")
        assert gc.isenabled() == collecting
    finally:
        (gc.enable if was else gc.disable)()


def test_scipy_s_algebra_is_there_after_the_kernels_are():
    assert importlib.import_module("curate.scan.compiled").compiled
    assert importlib.import_module("scipy.linalg").det([[2.0, 0.0], [0.0, 3.0]]) == pytest.approx(6)


def test_arrow_starts_without_pandas_and_finds_it_when_asked_for_a_frame():
    program = (
        "import sys, curate.start, numpy as np, pyarrow as pa\n"
        "pa.array(np.ones(3)).to_numpy()\n"
        "assert 'pandas' not in sys.modules\n"
        "assert pa.table({'a': [1]}).to_pandas()['a'].tolist() == [1]\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
