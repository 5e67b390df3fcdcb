"""What training code calls: runs, their config, log and summary, and the way to the server.

In: `errors` and `common`; what is said to the server are plain dictionaries. Out: the public names of `besom`.
Standard library only, and HTTP only inside `connection`: importing Besom costs a training script next to nothing.

What a run of a sweep loads on its way is kept to modules that are there in a moment (`tests/unit/client/test_guards.py`
has the list): `typing` and `collections.abc` are for the type checker only (``TYPE_CHECKING = False``), a base class
comes from `_collections_abc`, and what only some runs need is imported inside the function that needs it.
"""
