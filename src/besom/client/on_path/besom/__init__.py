"""A doorway: `import besom` in any Python ≥ 3.10 reaches the package from where it lies, with nothing installed.

In: the folder above on PYTHONPATH. Out: the package `besom` itself, into which this module turns; nothing else that
is installed beside Besom becomes importable.
"""

import os.path
import sys

if sys.version_info < (3, 10):  # noqa: UP036  whatever Python the sweep's command names comes through here
    _found = f"{sys.version_info[0]}.{sys.version_info[1]}"
    raise ImportError(f"Besom's module needs Python 3.10 or newer, and the training runs in {_found}")

_package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
__path__[:] = [_package]
__file__ = __spec__.origin = os.path.join(_package, "__init__.py")
# Not by `importlib`, which takes a millisecond of every run to load.
__loader__ = __spec__.loader = type(__loader__)(__name__, __file__)
__loader__.exec_module(sys.modules[__name__])
