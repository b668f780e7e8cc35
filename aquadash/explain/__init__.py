"""Why a model answers as it does, and how robust it is. What is heavy is imported where it is used."""
