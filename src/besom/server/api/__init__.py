"""The native front door, one file a noun; `server/app.py` lists the routes.

In: an `Ask` with a query or body of `wire`. Out: an answer of `wire`.
A handler calls one operation or one reader and adds nothing.
"""
