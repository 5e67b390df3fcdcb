"""Facts that both sides need: spool format, places on disk, discovery of the server, ids, numbers in JSON.

In: nothing of ours but `errors`. Out: constants and small functions.
Standard library only, since training code imports it.
"""
