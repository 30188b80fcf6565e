"""What stands between a browser and the dashboard; app.py puts it in place, and nothing else knows of it."""
