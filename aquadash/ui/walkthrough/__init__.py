"""The Walkthrough page: one file a section of the report."""
