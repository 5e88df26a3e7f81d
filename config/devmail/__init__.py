"""The development inbox: a real SMTP server that keeps messages, and pages that show them."""
