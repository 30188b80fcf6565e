"""How the dashboard's own database came to be what it is: one step for each change, applied at its first use."""
