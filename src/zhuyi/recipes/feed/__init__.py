"""A personal feed of films that a person steers: a recommender, its rivals, rules, reasons."""
