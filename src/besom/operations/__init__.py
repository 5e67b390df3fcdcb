"""What can be done: one function is one thing a person or an agent can do, and one transaction with its events.

In: a connection, a request of `wire`, the time. Out: answers of `wire`; refusals are raised from `errors`.
It joins decisions of `engine` to changes of `store` and knows nothing of HTTP.
"""
