"""The development phone: a provider of text messages that keeps what it is sent, and its page."""
