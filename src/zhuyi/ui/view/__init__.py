"""The one picture that all faces share: what it is made of, and the page that carries it."""
