"""Why a model answers as it does. What is heavy is imported where it is used."""
