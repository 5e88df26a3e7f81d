"""The project: settings, URLs, the background worker, embedded services and their supervisor."""
