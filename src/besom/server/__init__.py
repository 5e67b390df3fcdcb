"""The server: its doors (`api`, pages, events), who may pass them, and the life of its process.

In: HTTP requests, options, signals. Out: answers of `wire`, pages, events; files in the data folder.
It decides nothing: a change goes to one function of `operations`, a look to one reader of `store`.
"""
