"""What a model is asked, by task, as a person would say it."""

from typing import Final

QUESTIONS: Final = {
    "text-classification": "What kind of text is this?",
    "image-classification": "What is in this image?",
    "next-token": "Which token comes next?",
    "similarity": "Are these two texts similar?",
    "embedding": "What does this text's embedding rest on?",
}
