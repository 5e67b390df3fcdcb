"""How long an agent's right to a run lasts without a heartbeat."""

LEASE_S = 60.0
HEARTBEAT_S = 5.0
# An agent that was silent for this long is counted as gone.
AGENT_GONE_S = 600.0
