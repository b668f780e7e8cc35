"""The Walkthrough page: the frame of the lesson, and one function for each section of the report."""
