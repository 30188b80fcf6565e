"""What stands between a browser and the dashboard; app.py puts it in place, and nothing else knows of it."""

COOKIE = "process"
"""The cookie that says with which of several processes a browser is, by its number."""
NUMBER, HANDED = "DASHBOARD_PROCESS", "DASHBOARD_CONNECTIONS"
"""The environment of such a process: its number, and the descriptor on which it is handed connections and says how many it has."""
OPEN = b"open "
"""Begins what it says there, first when it is warm: how many connections it has open."""
