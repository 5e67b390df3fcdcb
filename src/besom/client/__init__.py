"""What training code calls: runs, their config, log and summary, and the way to the server.

In: `errors` and `common`; what is said to the server are plain dictionaries. Out: the public names of `besom`.
Standard library only, and HTTP only inside `connection`: importing Besom costs a training script next to nothing.
"""
