"""What crosses a process boundary, written once.

In: nothing of ours but `common` and `errors`. Out: msgspec structs by noun, and JSON both ways (`encoding`).
The client speaks plain dictionaries; tests hold them against these types.
"""
