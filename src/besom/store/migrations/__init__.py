"""How the schema came to be: one file a version, each says why.

In: a connection inside a transaction. Out: the next version of the schema.
They are run by `store.migrating` and never changed once released.
"""

HEAD = "0002"
KNOWN = frozenset(["0001", "0002"])
