"""The texts that customers read, in further languages: `config/locale/`."""
