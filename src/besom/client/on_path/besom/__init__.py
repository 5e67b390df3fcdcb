"""A doorway: `import besom` in any Python ≥ 3.10 reaches the package from where it lies, with nothing installed.

In: the folder above on PYTHONPATH. Out: the package `besom` itself in place of this module; nothing else that is
installed beside Besom becomes importable.
"""

import importlib.util
import os.path
import sys

if sys.version_info < (3, 10):  # noqa: UP036  whatever Python the sweep's command names comes through here
    _found = f"{sys.version_info[0]}.{sys.version_info[1]}"
    raise ImportError(f"Besom's module needs Python 3.10 or newer, and the training runs in {_found}")

_package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
_spec = importlib.util.spec_from_file_location(
    "besom", os.path.join(_package, "__init__.py"), submodule_search_locations=[_package]
)
_besom = importlib.util.module_from_spec(_spec)
# The import system hands out what stands here when this file has run.
sys.modules["besom"] = _besom
_spec.loader.exec_module(_besom)
