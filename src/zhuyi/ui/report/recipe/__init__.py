"""One run of a recipe as a page, a text and JSON."""
