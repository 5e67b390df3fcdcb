"""A training that only starts and ends: what no agent can go below."""
