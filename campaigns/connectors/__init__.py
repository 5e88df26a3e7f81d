"""What shops and tools say, put into what the services take. Nothing here touches the database."""
