"""`python -m config.catalogs`: compiles the catalogs, without settings or a database."""

from config.catalogs.files import compile_catalogs

compile_catalogs()
