"""What happens, and what webhooks must be told of it."""
