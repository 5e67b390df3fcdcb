"""A doorway: `import wandb` in a child of a Besom agent reaches Besom's own module of that name.

In: the folder above on PYTHONPATH. Out: the names of `besom.client.as_wandb.module`, the live ones too.
"""

from besom.client.as_wandb import module as _module
from besom.client.as_wandb import submodules as _submodules
from besom.client.as_wandb.module import *  # noqa: F403
from besom.client.as_wandb.module import __version__  # noqa: F401

_submodules.install()


def __getattr__(name):
    return getattr(_module, name)


def __dir__():
    return sorted({*_module.__all__, "Api", "agent", "run", "sweep"})
