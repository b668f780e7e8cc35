"""The parts of the Quiz page."""
