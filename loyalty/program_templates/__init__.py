"""Programs to start from: one template for every kind, what each asks, and the program that the
answers make. Pure: `read_answers` and `build` need no database."""
