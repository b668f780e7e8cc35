"""The Walkthrough page: the frame of the lesson, and a function a section of the report."""
