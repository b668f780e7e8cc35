"""The report as a lesson: its sections, their mistakes, and questions that are answered by doing."""

from aquadash.walkthrough.corrections import all_findings, findings
from aquadash.walkthrough.lessons import LESSONS, Outcome, Verdict, read_number
