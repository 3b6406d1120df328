"""One audit as files: the offline page, the model card, the JUnit file and the JSON's schema."""
