"""Processes that are really killed; what was acknowledged stays, work begun is done once."""
