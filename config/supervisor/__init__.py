"""Keeping child processes alive: started in order, restarted when they crash, stopped cleanly."""
